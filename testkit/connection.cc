// SPDX-License-Identifier: Apache-2.0
#include "testkit/connection.h"

#include <utility>

namespace inlay::testkit {

using host::Peer;

TestConnection::TestConnection(host::WorkerPlugin& plugin) {
  context_ = plugin.create_tcp_context(*this);
  bypassed_ = context_ == nullptr;
}

TestConnection::~TestConnection() {
  finish();
}

void TestConnection::finish(abi::PeerType by) {
  if (context_ == nullptr) return;
  context_->on_downstream_connection_close(by);
  std::exchange(context_, nullptr)->destroy();
}

abi::Action TestConnection::open() {
  return context_->on_new_connection();
}

abi::Action TestConnection::receive(Peer from, std::string_view bytes, bool end) {
  Buffer& buffer = waiting[static_cast<size_t>(from)];
  buffer.append(bytes);
  const abi::Action action = from == Peer::kDownstream ? context_->on_downstream_data(buffer.size(), end)
                                                       : context_->on_upstream_data(buffer.size(), end);
  if (action == abi::Action::kContinue) pass(from);
  return action;
}

void TestConnection::close_upstream(abi::PeerType by) {
  context_->on_upstream_connection_close(by);
}

void TestConnection::pass(Peer from) {
  Buffer& buffer = waiting[static_cast<size_t>(from)];
  (from == Peer::kDownstream ? to_upstream : to_downstream) += buffer.to_string();
  buffer.clear();
}

Buffer* TestConnection::data(Peer from) {
  Buffer& buffer = waiting[static_cast<size_t>(from)];
  return buffer.empty() ? nullptr : &buffer;
}

void TestConnection::continue_stream(Peer from) {
  continued.push_back(from);
  pass(from);
}

void TestConnection::close(std::string_view details) {
  ++closes;
  if (!closed) closed = std::string(details);
}

}  // namespace inlay::testkit
