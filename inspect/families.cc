// SPDX-License-Identifier: Apache-2.0
#include "inspect/families.h"

#include <array>

namespace inlay::inspect {
namespace {

struct Row {
  std::string_view prefix;
  std::string_view family;
};

// The first prefix that fits counts.
constexpr auto kFunctions = std::to_array<Row>({
    {"proxy_log", "log"},
    {"proxy_get_log_level", "log"},
    {"proxy_get_current_time", "time"},
    {"proxy_set_tick_period", "time"},
    {"proxy_get_configuration", "context"},
    {"proxy_done", "context"},
    {"proxy_set_effective_context", "context"},
    {"proxy_get_buffer_", "buffers"},
    {"proxy_set_buffer_", "buffers"},
    {"proxy_get_header_map_", "headers"},
    {"proxy_set_header_map_", "headers"},
    {"proxy_add_header_map_", "headers"},
    {"proxy_replace_header_map_", "headers"},
    {"proxy_remove_header_map_", "headers"},
    {"proxy_continue_", "streams"},
    {"proxy_close_stream", "streams"},
    {"proxy_clear_route_cache", "streams"},
    {"proxy_send_local_response", "streams"},
    {"proxy_http_call", "call-outs"},
    {"proxy_get_status", "call-outs"},
    {"proxy_grpc_", "gRPC"},
    {"proxy_set_shared_data", "shared data"},
    {"proxy_get_shared_data", "shared data"},
    {"proxy_register_shared_queue", "queues"},
    {"proxy_resolve_shared_queue", "queues"},
    {"proxy_enqueue_shared_queue", "queues"},
    {"proxy_dequeue_shared_queue", "queues"},
    {"proxy_define_metric", "metrics"},
    {"proxy_increment_metric", "metrics"},
    {"proxy_record_metric", "metrics"},
    {"proxy_get_metric", "metrics"},
    {"proxy_get_property", "properties"},
    {"proxy_set_property", "properties"},
    {"proxy_call_foreign_function", "foreign"},
});

constexpr auto kCallbacks = std::to_array<Row>({
    {"proxy_on_context_create", "life"},
    {"proxy_on_vm_start", "life"},
    {"proxy_on_configure", "life"},
    {"proxy_on_done", "life"},
    {"proxy_on_log", "life"},
    {"proxy_on_delete", "life"},
    {"proxy_on_tick", "events"},
    {"proxy_on_queue_ready", "events"},
    {"proxy_on_foreign_function", "events"},
    {"proxy_on_http_call_response", "call-outs"},
    {"proxy_on_grpc_", "gRPC"},
    {"proxy_on_new_connection", "tcp"},
    {"proxy_on_downstream_", "tcp"},
    {"proxy_on_upstream_", "tcp"},
    {"proxy_on_request_", "http"},
    {"proxy_on_response_", "http"},
    {"proxy_on_memory_allocate", "memory"},
    {"malloc", "memory"},
});

template <class Rows>
std::string_view find(const Rows& rows, std::string_view name) {
  for (const Row& row : rows) {
    if (name.starts_with(row.prefix)) return row.family;
  }
  return {};
}

}  // namespace

std::string_view function_family(std::string_view module, std::string_view name) {
  if (module.starts_with("wasi_")) return "wasi";
  const std::string_view family = module == "env" ? find(kFunctions, name) : std::string_view();
  return family.empty() ? "other" : family;
}

std::string_view callback_family(std::string_view name) {
  return find(kCallbacks, name);
}

}  // namespace inlay::inspect
