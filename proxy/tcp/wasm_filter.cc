// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/wasm_filter.h"

#include <algorithm>
#include <utility>

#include "proxy/tcp/tcp_proxy.h"
#include "proxy/wasm_filter/filter_state.h"

namespace inlay::proxy::tcp {

using host::Peer;

Action WasmFilter::on_new_connection() {
  context_ = options_.plugin->create_tcp_context(*this);
  return context_ != nullptr ? context_->on_new_connection() : Action::kContinue;
}

Action WasmFilter::on_read(Buffer& data, bool end_stream) {
  if (context_ == nullptr || !context_->wants_downstream_data()) return Action::kContinue;
  read_visible_ = true;
  const Action action = context_->on_downstream_data(data.size(), end_stream);
  read_visible_ = action == Action::kPause;
  return action;
}

// The end of what the server sends is all that a filter learns of the server's closing, as in Envoy.
Action WasmFilter::on_write(Buffer& data, bool end_stream) {
  if (context_ == nullptr) return Action::kContinue;
  Action action = Action::kContinue;
  if (context_->wants_upstream_data()) {
    write_visible_ = true;
    action = context_->on_upstream_data(data.size(), end_stream);
    write_visible_ = action == Action::kPause;
  }
  if (end_stream && context_ != nullptr && !std::exchange(upstream_closed_, true)) {
    context_->on_upstream_connection_close(abi::PeerType::kUnknown);
  }
  return action;
}

void WasmFilter::on_close(abi::PeerType by) {
  read_visible_ = write_visible_ = false;
  if (context_ == nullptr) return;
  context_->on_downstream_connection_close(by);
  std::exchange(context_, nullptr)->destroy();
}

// --- what the guest asks of the connection ---

Buffer* WasmFilter::data(Peer from) {
  if (from == Peer::kDownstream) return read_visible_ ? &callbacks_->read_buffer() : nullptr;
  return write_visible_ ? &callbacks_->write_buffer() : nullptr;
}

void WasmFilter::continue_stream(Peer from) {
  if (from == Peer::kDownstream) {
    read_visible_ = false;
    callbacks_->continue_reading();
  } else {
    write_visible_ = false;
    callbacks_->continue_writing();
  }
}

void WasmFilter::close(std::string_view details) {
  callbacks_->close(net::Connection::Close::kAfterFlush, details);
}

abi::Status WasmFilter::get_property(const std::vector<std::string_view>& path, std::string& value) {
  wasm_filter::StreamAttributes stream{callbacks_->info()};
  stream.now = callbacks_->loop().now();
  return wasm_filter::stream_attribute(options_.attributes, stream, path, value);
}

abi::Status WasmFilter::set_property(std::string_view path, std::string_view value,
                                     const host::PropertyTraits& traits) {
  return wasm_filter::set_filter_state(callbacks_->info(), path, value, traits);
}

abi::Status WasmFilter::set_proxy_state(std::string_view key, std::string_view value) {
  if (key != kClusterState) return abi::Status::kNotFound;
  if (value.empty()) return abi::Status::kBadArgument;
  auto& states = callbacks_->info().filter_state;
  const auto known = std::find_if(states.begin(), states.end(), [&](const auto& state) { return state.name == key; });
  if (known == states.end()) {
    states.push_back({std::string(key), std::string(value)});
  } else {
    known->value = value;
  }
  return abi::Status::kOk;
}

}  // namespace inlay::proxy::tcp
