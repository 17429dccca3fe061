// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host's side of the imports that sdk/testing/fake_imports.h defines. Included by sdk/testing/fake_host.h.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "abi/pairs.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk::testing {

// FakeHostFunctions: what the imports do that is more than a line.
struct FakeHostFunctions {
  static FakeHost& host() {
    ++FakeHost::current_host()->host_calls;
    return *FakeHost::current_host();
  }
  static FakeWorker& worker() { return *FakeHost::current_worker(); }

  static void give(std::string_view value, char** data, size_t* size) {
    *size = value.size();
    *data = nullptr;
    if (value.empty()) return;
    *data = static_cast<char*>(std::malloc(value.size()));
    std::memcpy(*data, value.data(), value.size());
  }

  static Headers* map(MapType type) {
    FakeWorker& w = worker();
    FakeStream* const stream = w.stream();
    if (type == MapType::kHttpRequestHeaders && stream != nullptr) return &stream->headers;
    if (type == MapType::kHttpRequestTrailers && stream != nullptr) return &stream->trailers;
    if (type == MapType::kHttpResponseHeaders && stream != nullptr) return &stream->response;
    if (type == MapType::kHttpCallResponseHeaders && w.reply_ != nullptr) return &w.reply_headers_;
    if (type == MapType::kHttpCallResponseTrailers && w.reply_ != nullptr) return &w.reply_trailers_;
    return nullptr;
  }

  // map_of: the map that a call for one of its headers is about, which its stream takes down.
  static Headers* map_of(std::string_view what, MapType type, std::string_view name) {
    host();
    if (FakeStream* const stream = worker().stream()) stream->header_calls.push_back(std::string(what) + ' ' += name);
    return map(type);
  }

  static Status get_pairs(MapType type, char** data, size_t* size) {
    host();
    if (FakeStream* const stream = worker().stream()) stream->header_calls.emplace_back("pairs");
    const Headers* const headers = map(type);
    if (headers == nullptr) return Status::kBadArgument;
    std::vector<abi::Pair> pairs;
    for (const auto& [name, value] : *headers) pairs.push_back({name, value});
    std::string text(abi::pairs_size(pairs), '\0');
    abi::write_pairs(pairs, text.data());
    give(text, data, size);
    return Status::kOk;
  }

  static std::optional<std::string_view> buffer(abi::BufferType type) {
    FakeWorker& w = worker();
    if (type == abi::BufferType::kPluginConfiguration && w.configuring_) return w.roots_[w.effective_].configuration;
    if (type == abi::BufferType::kHttpCallResponseBody && w.reply_ != nullptr) return w.reply_->body;
    if (type == abi::BufferType::kGrpcCallMessage)
      return w.grpc_shown_ != nullptr ? std::string_view(w.grpc_shown_->message) : std::string_view();
    if (const std::string* data = stream_data(type)) return *data;
    return std::nullopt;
  }

  static Status get_property(std::string_view path, char** data, size_t* size) {
    const FakeHost& h = host();
    FakeWorker& w = worker();
    const FakeStream* const stream = w.stream();
    std::optional<std::string> value;
    if (path == "plugin_root_id")
      value = w.root_id();
    else if (stream != nullptr && h.stream_property)
      value = h.stream_property(*stream, path);
    if (!value) return Status::kNotFound;
    give(*value, data, size);
    return Status::kOk;
  }

  // The bytes that a filter may change.
  static std::string* stream_data(abi::BufferType type) {
    if (FakeStream* stream = worker().stream(); stream != nullptr && type == abi::BufferType::kHttpRequestBody)
      return &stream->held_body;
    FakeConnection* const connection = worker().connection();
    if (connection == nullptr) return nullptr;
    if (type == abi::BufferType::kDownstreamData) return &connection->from_client;
    return type == abi::BufferType::kUpstreamData ? &connection->from_server : nullptr;
  }

  static Status set_buffer(abi::BufferType type, size_t start, size_t size, std::string_view value) {
    host();
    std::string* const data = stream_data(type);
    if (data == nullptr) return buffer(type) ? Status::kBadArgument : Status::kNotFound;
    if (start == 0) {
      data->replace(0, std::min(size, data->size()), value);
    } else if (start >= data->size()) {
      data->append(value);
    } else {
      return Status::kBadArgument;
    }
    return Status::kOk;
  }

  static Headers decode(std::string_view bytes) {
    Headers headers;
    if (auto reader = abi::PairsReader::open(bytes)) {
      for (abi::Pair p; reader->next(p);) headers.emplace_back(p.key, p.value);
    }
    return headers;
  }

  static void misuse(std::string text) { FakeHost::current_host()->misuses.push_back(std::move(text)); }

  static Status reply_locally(uint32_t status, std::string_view details, std::string_view body, Headers headers) {
    FakeStream* const stream = worker().stream();
    if (status < 200 || status > 599) return Status::kBadArgument;
    if (stream == nullptr) return Status::kOk;
    if (worker().ending_ || stream->closed) misuse("a reply on a stream that is over");
    if (stream->reply_status != 0) misuse("a second reply");
    stream->reply_status = status;
    stream->reply_details = details;
    stream->reply_body = body;
    stream->reply_headers = std::move(headers);
    stream->request_held = stream->response_held = false;
    return Status::kOk;
  }

  static Status set_effective_context(abi::ContextId id) {
    if (!host().may_set_effective) return Status::kInternalFailure;
    FakeWorker& w = worker();
    if (id != 0 && !w.knows(id)) return Status::kBadArgument;
    w.effective_ = id == 0 ? w.called_ : id;
    return Status::kOk;
  }

  static Status continue_stream(abi::StreamType type) {
    FakeHost& h = host();
    if (FakeConnection* connection = worker().connection()) {
      if (type == abi::StreamType::kDownstream) return connection->pass_to_server(), Status::kOk;
      if (type == abi::StreamType::kUpstream && !h.resumes_upstream) return Status::kUnimplemented;
      if (type == abi::StreamType::kUpstream) connection->pass_to_client();
      return Status::kOk;
    }
    FakeStream* const stream = worker().stream();
    if (stream == nullptr) return Status::kOk;
    const bool request = type == abi::StreamType::kHttpRequest;
    bool& held = request ? stream->request_held : stream->response_held;
    if (!held) {
      misuse(request ? "a request goes on that is not held" : "a response goes on that is not held");
      return Status::kOk;
    }
    held = false;
    if (request) stream->pass_body();
    (request ? stream->continued : stream->response_continued) = ++h.continued_;
    if (h.on_continue) h.on_continue(*stream);
    return Status::kOk;
  }

  static Status close_stream(abi::StreamType type) {
    host();
    FakeConnection* const connection = worker().connection();
    const bool tcp = type == abi::StreamType::kDownstream || type == abi::StreamType::kUpstream;
    if (connection != nullptr && tcp) connection->closed = true;
    FakeStream* const stream = worker().stream();
    if (stream == nullptr || tcp) return Status::kOk;
    if (worker().ending_) misuse("a stream is closed that is over");
    stream->closed = true;
    stream->request_held = stream->response_held = false;
    return Status::kOk;
  }

  static FakeHost::Queue* queue(std::string_view name) {
    for (FakeHost::Queue& q : host().queues_)
      if (q.name == name) return &q;
    return nullptr;
  }

  static Status register_queue(std::string_view name, uint32_t* id) {
    FakeHost::Queue* q = queue(name);
    FakeHost& h = host();
    if (q == nullptr) {
      const auto next = static_cast<uint32_t>(h.queues_.size() + 1);
      q = &h.queues_.emplace_back(FakeHost::Queue{.name = std::string(name), .id = next});
    }
    q->owner = &worker();
    q->root = worker().root_of(worker().effective_);
    *id = q->id;
    return Status::kOk;
  }

  static Status enqueue(uint32_t id, std::string_view item) {
    FakeHost::Queue* const q = host().queue(id);
    if (q == nullptr) return Status::kNotFound;
    q->items.emplace_back(item);
    q->news = true;
    return Status::kOk;
  }

  static Status dequeue(uint32_t id, char** data, size_t* size) {
    FakeHost::Queue* const q = host().queue(id);
    if (q == nullptr) return Status::kNotFound;
    if (q->items.empty()) return Status::kEmpty;
    give(q->items.front(), data, size);
    q->items.pop_front();
    return Status::kOk;
  }

  // fill_randomly: the same bytes in each test, others each time.
  static uint32_t fill_randomly(char* bytes, size_t size) {
    FakeHost& h = host();
    if (!h.has_random) return 58;  // ENOTSUP
    for (; size != 0; --size) *bytes++ = static_cast<char>((h.random_ = h.random_ * 6364136223846793005u + 1) >> 56);
    return 0;
  }

  // environment: each entry with its NUL.
  static std::string environment(size_t& count) {
    count = FakeHost::current_host()->environment.size();
    std::string text;
    for (const auto& [name, value] : FakeHost::current_host()->environment) {
      text += name + "=" + value + std::string(1, '\0');
    }
    return text;
  }

  static Status define_metric(std::string_view name, uint32_t* id) {
    FakeHost& h = host();
    auto at = std::find(h.metric_names_.begin(), h.metric_names_.end(), name);
    *id = static_cast<uint32_t>(at - h.metric_names_.begin());
    if (at == h.metric_names_.end()) h.metric_names_.emplace_back(name);
    h.metrics.try_emplace(std::string(name), 0);
    return Status::kOk;
  }

  static int64_t* metric(uint32_t id) {
    FakeHost& h = host();
    return id < h.metric_names_.size() ? &h.metrics[h.metric_names_[id]] : nullptr;
  }

  static Status get_shared_data(std::string_view key, char** data, size_t* size, uint32_t* cas) {
    FakeHost& h = host();
    if (!h.has_shared_data) return Status::kUnimplemented;
    const auto at = h.shared_data.find(std::string(key));
    if (at == h.shared_data.end()) return Status::kNotFound;
    give(at->second.first, data, size);
    *cas = at->second.second;
    return Status::kOk;
  }

  static Status set_shared_data(std::string_view key, std::string_view value, uint32_t cas) {
    FakeHost& h = host();
    if (!h.has_shared_data) return Status::kUnimplemented;
    const auto at = h.shared_data.find(std::string(key));
    if (at != h.shared_data.end() && cas != 0 && cas != at->second.second) return Status::kCasMismatch;
    h.shared_data[std::string(key)] = {std::string(value), h.next_cas_++};
    return Status::kOk;
  }

  static Status set_tick_period(uint32_t period_ms) {
    FakeHost& h = host();
    FakeWorker::Root& root = worker().roots_[worker().root_of(worker().effective_)];
    root.period_ms = period_ms;
    root.tick_at_ms = h.now_ms() + period_ms;
    return Status::kOk;
  }

  static Status http_call(FakeCall call, uint32_t* call_id) {
    FakeHost& h = host();
    call.at_ms = h.now_ms();
    const auto service = h.services.find(call.cluster);
    const bool complete =
        !call.header(":path").empty() && !call.header(":method").empty() && !call.header(":authority").empty();
    const uint32_t timeout_ms = call.timeout_ms;
    if (service == h.services.end() || !complete || timeout_ms > INT32_MAX) return Status::kBadArgument;
    FakeReply reply = service->second(call);
    h.calls.push_back(std::move(call));
    if (reply.refuse) return Status::kInternalFailure;
    *call_id = h.next_call_;
    h.next_call_ += 4;
    if (reply.silent) return Status::kOk;
    if (timeout_ms != 0 && reply.delay_ms > timeout_ms) {
      reply = {.status = 504, .body = "upstream request timeout", .delay_ms = timeout_ms};
    }
    const uint64_t at_ms = h.now_ms() + reply.delay_ms;
    worker().pending_[*call_id] = {
        .root = worker().root_of(worker().effective_), .at_ms = at_ms, .reply = std::move(reply)};
    return Status::kOk;
  }

  static Status grpc(FakeGrpcCall call, uint32_t* token) {
    FakeHost& h = host();
    const auto service = h.grpc_services.find(call.target);
    if (service == h.grpc_services.end()) return Status::kParseFailure;
    uint32_t& next = call.stream ? h.next_grpc_stream_ : h.next_grpc_call_;
    call.token = next;
    FakeGrpcReply reply = service->second(call);
    uint64_t wait_ms = reply.delay_ms;
    if (call.timeout_ms != 0 && wait_ms > call.timeout_ms) {
      wait_ms = call.timeout_ms;
      reply = {.status = 14, .text = "upstream request timeout"};
    }
    const bool refused = reply.refuse;
    const bool answered = !call.stream && !reply.silent;
    h.grpc_calls.push_back(std::move(call));
    if (refused) return Status::kInternalFailure;
    *token = next;
    next += 4;
    worker().grpc_[*token] = {.root = worker().root_of(worker().effective_),
                              .at_ms = answered ? h.now_ms() + wait_ms : UINT64_MAX,
                              .reply = std::move(reply)};
    return Status::kOk;
  }

  static Status cancel_grpc(uint32_t token) {
    FakeGrpcCall* const call = grpc_call(token);
    if (call == nullptr) return Status::kNotFound;
    call->cancelled = true;
    worker().grpc_.erase(token);
    return Status::kOk;
  }

  static Status get_status(uint32_t* code, char** data, size_t* size) {
    (void)host();
    const FakeGrpcReply* const shown = worker().grpc_shown_;
    *code = shown == nullptr ? 0 : shown->status;
    give(shown == nullptr ? std::string_view() : std::string_view(shown->text), data, size);
    return Status::kOk;
  }

  // grpc_call: one that is under way, of whatever worker; nullptr if there is none.
  static FakeGrpcCall* grpc_call(uint32_t token) {
    FakeHost& h = host();
    if (!worker().grpc_.contains(token)) return nullptr;
    for (FakeGrpcCall& call : h.grpc_calls)
      if (call.token == token) return &call;
    return nullptr;
  }
};

}  // namespace inlay::sdk::testing

#include "sdk/testing/fake_imports.h"  // IWYU pragma: keep (what calls them)
