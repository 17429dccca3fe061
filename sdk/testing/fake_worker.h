// SPDX-License-Identifier: Apache-2.0
#pragma once

// What FakeWorker (sdk/testing/fake_host.h) does: it calls into the filter as a host does. Included by fake_host.h.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "sdk/detail/exports.h"
#include "sdk/detail/vm.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk::testing {

template <class F>
auto FakeWorker::enter(abi::ContextId context, F&& call) {
  FakeWorker* const outer = std::exchange(FakeHost::current_worker(), this);
  detail::Vm* const outer_vm = std::exchange(detail::current_vm, &vm_);
  struct Restore {
    FakeWorker& self;
    FakeWorker* worker;
    detail::Vm* vm;
    abi::ContextId called;
    abi::ContextId effective;
    ~Restore() {
      FakeHost::current_worker() = worker;
      detail::current_vm = vm;
      self.called_ = called;
      self.effective_ = effective;
    }
  } restore{*this, outer, outer_vm, called_, effective_};
  called_ = effective_ = context;
  return call();
}

inline bool FakeWorker::configure(abi::ContextId id, std::string_view configuration) {
  roots_[id].configuration = configuration;
  return enter(id, [&] {
    configuring_ = true;
    const bool ok = detail::on_configure<detail::Vm>(id, configuration.size()) != 0;
    configuring_ = false;
    return ok;
  });
}

inline abi::ContextId FakeWorker::start(std::string_view root_id, std::string_view configuration) {
  const abi::ContextId id = next_context_++;
  roots_[id] = {.root_id = std::string(root_id), .configuration = std::string(configuration)};
  const bool configured = enter(id, [&] {
    configuring_ = true;
    vm_.on_context_create(id, 0);
    const bool ok = vm_.root(id) != nullptr && detail::on_vm_start<detail::Vm>(id, 0) != 0 &&
                    detail::on_configure<detail::Vm>(id, configuration.size()) != 0;
    configuring_ = false;
    return ok;
  });
  if (configured) return id;
  stop(id);
  return 0;
}

inline FakeStream& FakeWorker::open(abi::ContextId root, Headers headers, bool end_of_stream) {
  const abi::ContextId id = new_number();
  auto& stream = streams_[id] = std::make_unique<FakeStream>();
  stream->id = id;
  stream->headers = std::move(headers);
  parents_[id] = root;
  enter(id, [&] {
    vm_.on_context_create(id, root);
    const size_t before = host_.host_calls;
    stream->status = HeadersStatus{
        detail::on_request_headers<detail::Vm>(id, stream->headers.size(), static_cast<uint32_t>(end_of_stream))};
    stream->request_held = stream->waits(stream->status);
    stream->host_calls = host_.host_calls - before;
  });
  return *stream;
}

inline abi::TrailersStatus FakeWorker::end(FakeStream& stream, Headers trailers) {
  stream.trailers = std::move(trailers);
  return enter(stream.id, [&] {
    const TrailersStatus status{detail::on_request_trailers<detail::Vm>(stream.id, stream.trailers.size())};
    stream.request_held = stream.waits(status);
    return status;
  });
}

inline DataStatus FakeWorker::send_body(FakeStream& stream, std::string_view bytes, bool end_of_stream) {
  if (end_of_stream && !bytes.empty()) {
    const DataStatus status = send_body(stream, bytes, false);
    if (stream.reply_status != 0 || stream.closed) return status;
    bytes = {};
  }
  stream.held_body += bytes;
  return enter(stream.id, [&] {
    const DataStatus status{
        detail::on_request_body<detail::Vm>(stream.id, stream.held_body.size(), end_of_stream ? 1 : 0)};
    stream.request_held = stream.waits(status);
    if (status == DataStatus::kContinue) stream.pass_body();
    if (status == DataStatus::kStopIterationNoBuffer) stream.held_body.clear();
    return status;
  });
}

inline HeadersStatus FakeWorker::respond(FakeStream& stream, Headers headers) {
  stream.response = std::move(headers);
  return enter(stream.id, [&] {
    const size_t before = host_.host_calls;
    stream.response_status =
        HeadersStatus{detail::on_response_headers<detail::Vm>(stream.id, stream.response.size(), 1)};
    stream.response_held = stream.waits(stream.response_status);
    stream.host_calls = host_.host_calls - before;
    return stream.response_status;
  });
}

// finish: HTTP streams hear of it in this order.
inline void FakeWorker::finish(abi::ContextId id) {
  enter(id, [&] {
    ending_ = true;
    detail::on_log<detail::Vm>(id);
    (void)detail::on_done<detail::Vm>(id);
    detail::on_delete<detail::Vm>(id);
    ending_ = false;
  });
}

inline void FakeWorker::close(FakeStream& stream) {
  const abi::ContextId id = stream.id;
  finish(id);
  streams_.erase(id);
}

inline FakeStream FakeWorker::request(abi::ContextId root, Headers headers) {
  FakeStream& stream = open(root, std::move(headers));
  const abi::ContextId id = stream.id;
  finish(id);
  FakeStream result = std::move(stream);
  streams_.erase(id);
  return result;
}

inline FakeConnection& FakeWorker::connect(abi::ContextId root) {
  const abi::ContextId id = new_number();
  FakeConnection& made = *(connections_[id] = std::make_unique<FakeConnection>());
  made.id = id;
  parents_[id] = root;
  enter(id, [&] {
    vm_.on_context_create(id, root);
    if (host_.tells_of_connections) made.opened = Action{detail::on_new_connection<detail::Vm>(id)};
  });
  return made;
}

inline Action FakeWorker::client_sends(FakeConnection& connection, std::string_view bytes, bool end_of_stream) {
  connection.from_client += bytes;
  const Action action = enter(connection.id, [&] {
    return Action{detail::on_downstream_data<detail::Vm>(connection.id, connection.from_client.size(),
                                                         static_cast<uint32_t>(end_of_stream))};
  });
  if (action == Action::kContinue) connection.pass_to_server();
  return action;
}

inline Action FakeWorker::server_sends(FakeConnection& connection, std::string_view bytes, bool end_of_stream) {
  connection.from_server += bytes;
  const Action action = enter(connection.id, [&] {
    return Action{detail::on_upstream_data<detail::Vm>(connection.id, connection.from_server.size(),
                                                       static_cast<uint32_t>(end_of_stream))};
  });
  if (action == Action::kContinue) connection.pass_to_client();
  return action;
}

inline void FakeWorker::disconnect(FakeConnection& connection, abi::PeerType by) {
  const abi::ContextId id = connection.id;
  enter(id, [&] {
    detail::on_downstream_connection_close<detail::Vm>(id, by);
    (void)detail::on_done<detail::Vm>(id);
    detail::on_log<detail::Vm>(id);
    detail::on_delete<detail::Vm>(id);
  });
  connections_.erase(id);
}

inline void FakeWorker::stop(abi::ContextId root) {
  enter(root, [&] { detail::on_delete<detail::Vm>(root); });
  roots_.erase(root);
  std::erase_if(pending_, [&](const auto& call) { return call.second.root == root; });
  std::erase_if(grpc_, [&](const auto& call) { return call.second.root == root; });
}

inline void FakeWorker::kill() {
  // What a dying VM does to the host is nothing: its calls go to a copy of the shared data.
  const auto shared_data = host_.shared_data;
  const auto metrics = host_.metrics;
  enter(0, [&] { vm_.clear(); });
  host_.shared_data = shared_data;
  host_.metrics = metrics;
  roots_.clear();
  pending_.clear();
  grpc_.clear();
  streams_.clear();
  connections_.clear();
}

inline void FakeWorker::tick(abi::ContextId id) {
  Root& root = roots_[id];
  root.tick_at_ms += root.period_ms;
  enter(id, [&] { detail::on_tick<detail::Vm>(id); });
}

inline void FakeWorker::tell_of_items(abi::ContextId root, uint32_t queue) {
  enter(root, [&] { detail::on_queue_ready<detail::Vm>(root, queue); });
}

inline void FakeWorker::answer(uint32_t call_id) {
  const Pending pending = std::move(pending_[call_id]);
  pending_.erase(call_id);
  give_answer(pending.root, call_id, pending.reply);
}

inline void FakeWorker::answer_call(abi::ContextId context, uint32_t call_id, uint32_t status) {
  give_answer(context, call_id, {.status = status});
}

inline void FakeWorker::give_answer(abi::ContextId context, uint32_t call_id, const FakeReply& reply) {
  reply_headers_.clear();
  reply_trailers_.clear();
  if (!reply.reset) {
    reply_headers_ = reply.headers;
    reply_trailers_ = reply.trailers;
    reply_headers_.insert(reply_headers_.begin(), {":status", std::to_string(reply.status)});
  }
  enter(context, [&] {
    reply_ = &reply;
    detail::on_http_call_response<detail::Vm>(context, call_id, reply_headers_.size(),
                                              reply.reset ? 0 : reply.body.size(), reply_trailers_.size());
    reply_ = nullptr;
  });
}

template <class F>
void FakeWorker::show_grpc(abi::ContextId root, const FakeGrpcReply& shown, F&& callback) {
  enter(root, [&] {
    grpc_shown_ = &shown;
    callback();
    grpc_shown_ = nullptr;
  });
}

inline void FakeWorker::answer_grpc(uint32_t token) {
  const PendingGrpc call = std::move(grpc_[token]);
  grpc_.erase(token);
  show_grpc(call.root, call.reply, [&] {
    if (call.reply.status == 0)
      detail::on_grpc_receive<detail::Vm>(call.root, token, call.reply.message.size());
    else
      detail::on_grpc_close<detail::Vm>(call.root, token, call.reply.status);
  });
}

inline void FakeWorker::grpc_message(uint32_t token, std::string_view bytes) {
  const auto at = grpc_.find(token);
  if (at == grpc_.end()) return;
  const abi::ContextId root = at->second.root;
  const FakeGrpcReply shown{.message = std::string(bytes)};
  show_grpc(root, shown, [&] { detail::on_grpc_receive<detail::Vm>(root, token, bytes.size()); });
}

inline void FakeWorker::grpc_close(uint32_t token, uint32_t status, std::string_view text) {
  const auto at = grpc_.find(token);
  if (at == grpc_.end()) return;
  const abi::ContextId root = at->second.root;
  const FakeGrpcReply shown{.status = status, .text = std::string(text)};
  show_grpc(root, shown, [&] { detail::on_grpc_close<detail::Vm>(root, token, status); });
  grpc_.erase(token);
}

}  // namespace inlay::sdk::testing
