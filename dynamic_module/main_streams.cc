// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/main_streams.h"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dynamic_module/log.h"
#include "http/grpc.h"

namespace inlay::dynamic_module {

// All of it is the main thread's.
struct MainStreams::Handle {
  OnEvent on_event;
  std::optional<uint64_t> id{};  // Envoy's
  bool over = false;
  std::chrono::steady_clock::time_point ends{};  // as far as its timeout goes
};

namespace {

// What Envoy itself answers when a call's time is over. It tells no details: the time and these words do.
constexpr std::string_view kTimedOut = "upstream request timeout";
constexpr std::chrono::milliseconds kEarly{5};  // Envoy's timers and ours round

http::HeaderMap map_of(const envoy::Field* fields, size_t count) {
  http::HeaderMap map;
  for (size_t i = 0; i < count; ++i) map.add(fields[i].name, fields[i].value);
  return map;
}

// What Envoy itself answers to a gRPC request for a cluster without a healthy host.
MainStreams::Event unavailable() {
  MainStreams::Event event;
  event.kind = MainStreams::Event::Kind::kHeaders;
  event.details = "no_healthy_upstream";
  event.fields.add(http::HeaderId::kStatus, ":status", "200");
  http::set_grpc_answer(event.fields, http::kGrpcUnavailable, "no healthy upstream");
  return event;
}

}  // namespace

MainStreams::HandlePtr MainStreams::start(host::CallStreamRequest request, OnEvent on_event) {
  auto stream = std::make_shared<Handle>(Handle{std::move(on_event)});
  auto kept = std::make_shared<host::CallStreamRequest>(std::move(request));
  return main_.post([this, kept, stream] { ask_for(*kept, stream); }) ? stream : nullptr;
}

void MainStreams::ask_for(const host::CallStreamRequest& request, const HandlePtr& stream) {
  if (stream->over) return;
  std::vector<envoy::Field> headers;
  headers.reserve(request.headers.size());
  for (const auto& entry : request.headers) headers.push_back({entry.name, entry.value});
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(request.timeout);
  uint64_t id = 0;
  const envoy::CallStart start = envoy::http_filter_config_start_http_stream(
      config_, &id, request.cluster, headers.data(), headers.size(), {}, false, static_cast<uint64_t>(timeout.count()));
  if (start == envoy::CallStart::kSuccess) {
    stream->ends = request.timeout.count() > 0 ? std::chrono::steady_clock::now() + timeout - kEarly
                                               : std::chrono::steady_clock::time_point::max();
    stream->id = id;
    under_way_.emplace(id, stream);
    return;
  }
  write_log(abi::LogLevel::kWarn, "a gRPC call to cluster " + request.cluster + " was not sent: " +
                                      (start == envoy::CallStart::kNoCluster
                                           ? "there is no such cluster"
                                           : "Envoy cannot send it: there is no healthy host, for instance"));
  stream->over = true;
  stream->on_event(unavailable());
}

void MainStreams::send(const HandlePtr& stream, std::string data, bool end) {
  (void)main_.post([this, stream, data = std::move(data), end] {
    if (stream->id && !stream->over)
      (void)envoy::http_filter_config_stream_send_data(config_, *stream->id, std::string_view(data), end);
  });
}

void MainStreams::reset(const HandlePtr& stream) {
  (void)main_.post([this, stream] {
    if (std::exchange(stream->over, true) || !stream->id) return;
    under_way_.erase(*stream->id);
    envoy::http_filter_config_reset_http_stream(config_, *stream->id);
  });
}

void MainStreams::on_headers(uint64_t id, const envoy::Field* fields, size_t count, bool end) {
  Event event{.kind = Event::Kind::kHeaders, .end = end, .fields = map_of(fields, count), .details = "via_upstream"};
  const auto found = under_way_.find(id);
  if (end && found != under_way_.end() && std::chrono::steady_clock::now() >= found->second->ends &&
      event.fields.get("grpc-message") == kTimedOut)
    event.details = "response_timeout";
  tell(id, std::move(event));
}

void MainStreams::on_data(uint64_t id, const envoy::View* chunks, size_t count, bool end) {
  Event event{.kind = Event::Kind::kData, .end = end};
  for (size_t i = 0; i < count; ++i) event.data.append(chunks[i]);
  tell(id, std::move(event));
}

void MainStreams::on_trailers(uint64_t id, const envoy::Field* fields, size_t count) {
  tell(id, {.kind = Event::Kind::kTrailers, .fields = map_of(fields, count)});
}

// The end of what has been told as whole says nothing more.
void MainStreams::on_end(uint64_t id, bool reset) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;
  if (reset) return tell(id, {.details = "upstream_reset"});
  found->second->over = true;
  under_way_.erase(found);
}

void MainStreams::tell(uint64_t id, Event event) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;
  const HandlePtr stream = found->second;
  if (event.kind == Event::Kind::kReset) {
    stream->over = true;
    under_way_.erase(found);
  }
  stream->on_event(std::move(event));
}

}  // namespace inlay::dynamic_module
