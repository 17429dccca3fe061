// SPDX-License-Identifier: Apache-2.0
#pragma once

// The imports of sdk/host_functions.h, defined for native tests over FakeHost. Functions that a filter needs and that
// are missing here show as undefined symbols in the test's link. Included by sdk/testing/fake_host_functions.h.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "sdk/environment.h"
#include "sdk/random.h"
#include "sdk/testing/fake_host.h"
#include "sdk/testing/fake_host_functions.h"

#define INLAY_FAKE_ extern "C" inline __attribute__((used))

using InlayFake = inlay::sdk::testing::FakeHostFunctions;

INLAY_FAKE_ inlay::abi::Status proxy_log(inlay::abi::LogLevel level, const char* data, size_t size) {
  InlayFake::host().logs.push_back({level, std::string(data, size)});
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_get_current_time_nanoseconds(inlay::abi::U64* time) {
  const auto& host = InlayFake::host();
  *time = host.time_ns + static_cast<uint64_t>(host.wall_step_ns);
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_set_tick_period_milliseconds(uint32_t period) {
  return InlayFake::set_tick_period(period);
}

INLAY_FAKE_ inlay::abi::Status proxy_get_property(const char* path, size_t path_size, char** data, size_t* size) {
  return InlayFake::get_property({path, path_size}, data, size);
}

INLAY_FAKE_ inlay::abi::Status proxy_get_buffer_bytes(inlay::abi::BufferType type, size_t start, size_t max_size,
                                                      char** data, size_t* size) {
  (void)InlayFake::host();
  const auto buffer = InlayFake::buffer(type);
  if (!buffer) return inlay::abi::Status::kNotFound;
  InlayFake::give(start < buffer->size() ? buffer->substr(start, max_size) : std::string_view(), data, size);
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_get_buffer_status(inlay::abi::BufferType type, size_t* size, uint32_t* flags) {
  (void)InlayFake::host();
  const auto buffer = InlayFake::buffer(type);
  if (!buffer) return inlay::abi::Status::kNotFound;
  *size = buffer->size();
  *flags = 0;
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_set_buffer_bytes(inlay::abi::BufferType type, size_t start, size_t size,
                                                      const char* value, size_t value_size) {
  return InlayFake::set_buffer(type, start, size, {value, value_size});
}

INLAY_FAKE_ inlay::abi::Status proxy_get_header_map_value(inlay::abi::MapType type, const char* key, size_t key_size,
                                                          char** data, size_t* size) {
  auto* map = InlayFake::map_of("get", type, {key, key_size});
  if (map == nullptr) return inlay::abi::Status::kBadArgument;
  for (const auto& [name, value] : *map) {
    if (name != std::string_view(key, key_size)) continue;
    InlayFake::give(value, data, size);
    return inlay::abi::Status::kOk;
  }
  return inlay::abi::Status::kNotFound;
}

INLAY_FAKE_ inlay::abi::Status proxy_get_header_map_pairs(inlay::abi::MapType type, char** data, size_t* size) {
  return InlayFake::get_pairs(type, data, size);
}

INLAY_FAKE_ inlay::abi::Status proxy_remove_header_map_value(inlay::abi::MapType type, const char* key,
                                                             size_t key_size) {
  auto* map = InlayFake::map_of("remove", type, {key, key_size});
  if (map == nullptr) return inlay::abi::Status::kBadArgument;
  std::erase_if(*map, [&](const auto& header) { return header.first == std::string_view(key, key_size); });
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_add_header_map_value(inlay::abi::MapType type, const char* key, size_t key_size,
                                                          const char* value, size_t value_size) {
  auto* map = InlayFake::map_of("add", type, {key, key_size});
  if (map == nullptr) return inlay::abi::Status::kBadArgument;
  map->emplace_back(std::string(key, key_size), std::string(value, value_size));
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_replace_header_map_value(inlay::abi::MapType type, const char* key,
                                                              size_t key_size, const char* value, size_t value_size) {
  auto* map = InlayFake::map_of("set", type, {key, key_size});
  if (map == nullptr) return inlay::abi::Status::kBadArgument;
  std::erase_if(*map, [&](const auto& header) { return header.first == std::string_view(key, key_size); });
  map->emplace_back(std::string(key, key_size), std::string(value, value_size));
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_send_local_response(uint32_t status, const char* details, size_t details_size,
                                                         const char* body, size_t body_size, const char* headers,
                                                         size_t headers_size, uint32_t) {
  (void)InlayFake::host();
  return InlayFake::reply_locally(status, {details, details_size}, {body, body_size},
                                  InlayFake::decode({headers, headers_size}));
}

INLAY_FAKE_ inlay::abi::Status proxy_http_call(const char* upstream, size_t upstream_size, const char* headers,
                                               size_t headers_size, const char* body, size_t body_size, const char*,
                                               size_t, uint32_t timeout, uint32_t* call_id) {
  return InlayFake::http_call({.cluster = std::string(upstream, upstream_size),
                               .headers = InlayFake::decode({headers, headers_size}),
                               .body = std::string(body, body_size),
                               .timeout_ms = timeout},
                              call_id);
}

INLAY_FAKE_ inlay::abi::Status proxy_grpc_call(const char* target, size_t target_size, const char* service,
                                               size_t service_size, const char* method, size_t method_size,
                                               const char* metadata, size_t metadata_size, const char* message,
                                               size_t message_size, uint32_t timeout, uint32_t* token) {
  return InlayFake::grpc({.target = std::string(target, target_size),
                          .service = std::string(service, service_size),
                          .method = std::string(method, method_size),
                          .metadata = InlayFake::decode({metadata, metadata_size}),
                          .messages = {std::string(message, message_size)},
                          .timeout_ms = timeout,
                          .ended = true},
                         token);
}

INLAY_FAKE_ inlay::abi::Status proxy_grpc_stream(const char* target, size_t target_size, const char* service,
                                                 size_t service_size, const char* method, size_t method_size,
                                                 const char* metadata, size_t metadata_size, uint32_t* token) {
  return InlayFake::grpc({.target = std::string(target, target_size),
                          .service = std::string(service, service_size),
                          .method = std::string(method, method_size),
                          .metadata = InlayFake::decode({metadata, metadata_size}),
                          .messages = {},
                          .stream = true},
                         token);
}

INLAY_FAKE_ inlay::abi::Status proxy_grpc_send(uint32_t token, const char* message, size_t size, uint32_t end) {
  auto* const call = InlayFake::grpc_call(token);
  if (call == nullptr) return inlay::abi::Status::kNotFound;
  if (!call->ended) call->messages.emplace_back(message, size);
  call->ended = call->ended || end != 0;
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_grpc_cancel(uint32_t token) {
  return InlayFake::cancel_grpc(token);
}

INLAY_FAKE_ inlay::abi::Status proxy_grpc_close(uint32_t token) {
  auto* const call = InlayFake::grpc_call(token);
  if (call == nullptr) return inlay::abi::Status::kNotFound;
  if (!call->stream) return proxy_grpc_cancel(token);
  call->ended = true;
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_get_status(uint32_t* code, char** data, size_t* size) {
  return InlayFake::get_status(code, data, size);
}

INLAY_FAKE_ inlay::abi::Status proxy_get_shared_data(const char* key, size_t key_size, char** data, size_t* size,
                                                     uint32_t* cas) {
  return InlayFake::get_shared_data({key, key_size}, data, size, cas);
}

INLAY_FAKE_ inlay::abi::Status proxy_set_shared_data(const char* key, size_t key_size, const char* value,
                                                     size_t value_size, uint32_t cas) {
  return InlayFake::set_shared_data({key, key_size}, {value, value_size}, cas);
}

INLAY_FAKE_ inlay::abi::Status proxy_register_shared_queue(const char* name, size_t size, uint32_t* id) {
  return InlayFake::register_queue({name, size}, id);
}

INLAY_FAKE_ inlay::abi::Status proxy_resolve_shared_queue(const char*, size_t, const char* name, size_t size,
                                                          uint32_t* id) {
  const auto* const queue = InlayFake::queue({name, size});
  if (queue == nullptr) return inlay::abi::Status::kNotFound;
  *id = queue->id;
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_enqueue_shared_queue(uint32_t id, const char* data, size_t size) {
  return InlayFake::enqueue(id, {data, size});
}

INLAY_FAKE_ inlay::abi::Status proxy_dequeue_shared_queue(uint32_t id, char** data, size_t* size) {
  return InlayFake::dequeue(id, data, size);
}

INLAY_FAKE_ inlay::abi::Status proxy_define_metric(inlay::abi::MetricType, const char* name, size_t name_size,
                                                   uint32_t* id) {
  return InlayFake::define_metric({name, name_size}, id);
}

INLAY_FAKE_ inlay::abi::Status proxy_increment_metric(uint32_t id, inlay::abi::S64 delta) {
  int64_t* const metric = InlayFake::metric(id);
  if (metric == nullptr) return inlay::abi::Status::kNotFound;
  *metric += delta;
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_record_metric(uint32_t id, inlay::abi::U64 value) {
  int64_t* const metric = InlayFake::metric(id);
  if (metric == nullptr) return inlay::abi::Status::kNotFound;
  *metric = static_cast<int64_t>(value);
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_get_metric(uint32_t id, inlay::abi::U64* value) {
  const int64_t* const metric = InlayFake::metric(id);
  if (metric == nullptr) return inlay::abi::Status::kNotFound;
  *value = static_cast<inlay::abi::U64>(*metric);
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_call_foreign_function(const char* name, size_t name_size, const char* argument,
                                                           size_t argument_size, char** data, size_t* size) {
  const auto& functions = InlayFake::host().foreign_functions;
  const auto found = functions.find(std::string(name, name_size));
  if (found == functions.end()) return inlay::abi::Status::kNotFound;
  const auto result = found->second({argument, argument_size});
  if (!result) return result.error();
  InlayFake::give(*result, data, size);
  return inlay::abi::Status::kOk;
}

INLAY_FAKE_ inlay::abi::Status proxy_set_effective_context(inlay::abi::ContextId id) {
  return InlayFake::set_effective_context(id);
}

INLAY_FAKE_ inlay::abi::Status proxy_continue_stream(inlay::abi::StreamType type) {
  return InlayFake::continue_stream(type);
}

INLAY_FAKE_ inlay::abi::Status proxy_close_stream(inlay::abi::StreamType type) {
  return InlayFake::close_stream(type);
}

INLAY_FAKE_ uint32_t inlay_clock_time_get(uint32_t clock, uint64_t, uint64_t* time) {
  const auto& host = InlayFake::host();
  if (clock != 1 || !host.has_steady_clock) return 58;  // ENOTSUP
  *time = host.time_ns;
  return 0;
}

INLAY_FAKE_ uint32_t inlay_random_get(char* bytes, size_t size) {
  return InlayFake::fill_randomly(bytes, size);
}

INLAY_FAKE_ uint32_t inlay_environ_sizes_get(size_t* count, size_t* size) {
  *size = InlayFake::environment(*count).size();
  return 0;
}

INLAY_FAKE_ uint32_t inlay_environ_get(char** entries, char* buffer) {
  size_t count = 0;
  const std::string text = InlayFake::environment(count);
  text.copy(buffer, text.size());
  for (size_t i = 0; i < count; ++i, buffer += std::strlen(buffer) + 1) entries[i] = buffer;
  return 0;
}

#undef INLAY_FAKE_
