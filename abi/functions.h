// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every function that crosses the boundary of a proxy-wasm module, declared once: the host functions that a guest may
// import, and the callbacks that a guest may export (ABI 0.1.0, 0.2.0 and 0.2.1; proxy-wasm/spec,
// abi-versions/v0.2.1/README.md; WASI: snapshot preview 1). Guest, host, tests and documentation all read these tables.
//
// A row's parameter list is C++ that a guest can declare as it stands, natively (64 bits) and on wasm32:
//
//     extern "C" {
//     #define X(name, result, params, versions) result name params;
//     INLAY_ABI_PROXY_FUNCTIONS(X)
//     #undef X
//     }
//
// and it is reduced to WebAssembly value types for the host:
//
//     for (const abi::FunctionDecl& f : abi::kHostFunctions) define(f.module, f.name, f.params(), f.results());
//
// Only U64 and S64 are i64 on the wire and double would be f64; all else, pointers and sizes too, is i32.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "abi/types.h"

namespace inlay::abi {

// U64 and S64 are the only 64-bit parameters; they are types of their own, so that size_t is never taken for one.
using U64 = unsigned long long;
using S64 = long long;

// WasiErrno: what a WASI function returns, 0 for success.
using WasiErrno = uint32_t;

// ContextId: a root context's or a stream context's number; 0 is no context.
using ContextId = uint32_t;

// Versions is a set of ABI versions, one bit each.
using Versions = uint8_t;
inline constexpr Versions kIn010 = 1;
inline constexpr Versions kIn020 = 2;
inline constexpr Versions kIn021 = 4;
inline constexpr Versions kInAll = kIn010 | kIn020 | kIn021;
inline constexpr Versions kInOld = kIn010;           // gone since 0.2.0
inline constexpr Versions kInNew = kIn020 | kIn021;  // since 0.2.0

constexpr Versions versions_bit(Version version) {
  return static_cast<Versions>(1u << static_cast<uint8_t>(version));
}

}  // namespace inlay::abi

// X(name, result, (parameters), versions): imported from module "env".
// A `char**` and `size_t*` pair at the end of a list takes a value that the host has allocated in the guest with
// proxy_on_memory_allocate or malloc, and that the guest frees; an empty value is a null pointer and size 0.
// clang-format off
#define INLAY_ABI_PROXY_FUNCTIONS(X)                                                                                   \
  X(proxy_log, ::inlay::abi::Status,                                                                                   \
    (::inlay::abi::LogLevel level, const char* message_data, size_t message_size), ::inlay::abi::kInAll)               \
  X(proxy_get_log_level, ::inlay::abi::Status, (::inlay::abi::LogLevel* return_level), ::inlay::abi::kIn021)           \
  X(proxy_get_current_time_nanoseconds, ::inlay::abi::Status, (::inlay::abi::U64* return_time),                        \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_set_tick_period_milliseconds, ::inlay::abi::Status, (uint32_t period), ::inlay::abi::kInAll)                 \
  X(proxy_get_configuration, ::inlay::abi::Status, (char** return_data, size_t* return_size), ::inlay::abi::kInOld)    \
  X(proxy_done, ::inlay::abi::Status, (), ::inlay::abi::kInAll)                                                        \
  X(proxy_set_effective_context, ::inlay::abi::Status, (::inlay::abi::ContextId context_id), ::inlay::abi::kInAll)     \
  X(proxy_get_buffer_bytes, ::inlay::abi::Status,                                                                      \
    (::inlay::abi::BufferType buffer, size_t start, size_t max_size, char** return_data, size_t* return_size),         \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_get_buffer_status, ::inlay::abi::Status,                                                                     \
    (::inlay::abi::BufferType buffer, size_t* return_size, uint32_t* return_flags), ::inlay::abi::kInAll)              \
  X(proxy_set_buffer_bytes, ::inlay::abi::Status,                                                                      \
    (::inlay::abi::BufferType buffer, size_t start, size_t size, const char* value_data, size_t value_size),           \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_get_header_map_size, ::inlay::abi::Status, (::inlay::abi::MapType map, size_t* return_size),                 \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_get_header_map_pairs, ::inlay::abi::Status,                                                                  \
    (::inlay::abi::MapType map, char** return_data, size_t* return_size), ::inlay::abi::kInAll)                        \
  X(proxy_set_header_map_pairs, ::inlay::abi::Status,                                                                  \
    (::inlay::abi::MapType map, const char* pairs_data, size_t pairs_size), ::inlay::abi::kInAll)                      \
  X(proxy_get_header_map_value, ::inlay::abi::Status,                                                                  \
    (::inlay::abi::MapType map, const char* key_data, size_t key_size, char** return_data, size_t* return_size),       \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_add_header_map_value, ::inlay::abi::Status,                                                                  \
    (::inlay::abi::MapType map, const char* key_data, size_t key_size, const char* value_data, size_t value_size),     \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_replace_header_map_value, ::inlay::abi::Status,                                                              \
    (::inlay::abi::MapType map, const char* key_data, size_t key_size, const char* value_data, size_t value_size),     \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_remove_header_map_value, ::inlay::abi::Status,                                                               \
    (::inlay::abi::MapType map, const char* key_data, size_t key_size), ::inlay::abi::kInAll)                          \
  X(proxy_continue_stream, ::inlay::abi::Status, (::inlay::abi::StreamType stream), ::inlay::abi::kInNew)              \
  X(proxy_close_stream, ::inlay::abi::Status, (::inlay::abi::StreamType stream), ::inlay::abi::kInNew)                 \
  X(proxy_continue_request, ::inlay::abi::Status, (), ::inlay::abi::kInOld)                                            \
  X(proxy_continue_response, ::inlay::abi::Status, (), ::inlay::abi::kInOld)                                           \
  X(proxy_clear_route_cache, ::inlay::abi::Status, (), ::inlay::abi::kInOld)                                           \
  X(proxy_get_status, ::inlay::abi::Status,                                                                            \
    (uint32_t* return_code, char** return_message_data, size_t* return_message_size), ::inlay::abi::kInAll)            \
  X(proxy_send_local_response, ::inlay::abi::Status,                                                                   \
    (uint32_t status_code, const char* details_data, size_t details_size, const char* body_data, size_t body_size,     \
     const char* headers_data, size_t headers_size, uint32_t grpc_status), ::inlay::abi::kInAll)                       \
  X(proxy_http_call, ::inlay::abi::Status,                                                                             \
    (const char* upstream_data, size_t upstream_size, const char* headers_data, size_t headers_size,                   \
     const char* body_data, size_t body_size, const char* trailers_data, size_t trailers_size,                         \
     uint32_t timeout_milliseconds, uint32_t* return_call_id), ::inlay::abi::kInAll)                                   \
  X(proxy_grpc_call, ::inlay::abi::Status,                                                                             \
    (const char* upstream_data, size_t upstream_size, const char* service_data, size_t service_size,                   \
     const char* method_data, size_t method_size, const char* metadata_data, size_t metadata_size,                     \
     const char* message_data, size_t message_size, uint32_t timeout_milliseconds, uint32_t* return_call_id),          \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_grpc_stream, ::inlay::abi::Status,                                                                           \
    (const char* upstream_data, size_t upstream_size, const char* service_data, size_t service_size,                   \
     const char* method_data, size_t method_size, const char* metadata_data, size_t metadata_size,                     \
     uint32_t* return_stream_id), ::inlay::abi::kInAll)                                                                \
  X(proxy_grpc_send, ::inlay::abi::Status,                                                                             \
    (uint32_t stream_id, const char* message_data, size_t message_size, uint32_t end_stream), ::inlay::abi::kInAll)    \
  X(proxy_grpc_cancel, ::inlay::abi::Status, (uint32_t call_id), ::inlay::abi::kInAll)                                 \
  X(proxy_grpc_close, ::inlay::abi::Status, (uint32_t call_id), ::inlay::abi::kInAll)                                  \
  X(proxy_set_shared_data, ::inlay::abi::Status,                                                                       \
    (const char* key_data, size_t key_size, const char* value_data, size_t value_size, uint32_t cas),                  \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_get_shared_data, ::inlay::abi::Status,                                                                       \
    (const char* key_data, size_t key_size, char** return_data, size_t* return_size, uint32_t* return_cas),            \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_register_shared_queue, ::inlay::abi::Status,                                                                 \
    (const char* name_data, size_t name_size, uint32_t* return_queue_id), ::inlay::abi::kInAll)                        \
  X(proxy_resolve_shared_queue, ::inlay::abi::Status,                                                                  \
    (const char* vm_id_data, size_t vm_id_size, const char* name_data, size_t name_size, uint32_t* return_queue_id),   \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_enqueue_shared_queue, ::inlay::abi::Status,                                                                  \
    (uint32_t queue_id, const char* value_data, size_t value_size), ::inlay::abi::kInAll)                              \
  X(proxy_dequeue_shared_queue, ::inlay::abi::Status,                                                                  \
    (uint32_t queue_id, char** return_data, size_t* return_size), ::inlay::abi::kInAll)                                \
  X(proxy_define_metric, ::inlay::abi::Status,                                                                         \
    (::inlay::abi::MetricType type, const char* name_data, size_t name_size, uint32_t* return_metric_id),              \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_increment_metric, ::inlay::abi::Status, (uint32_t metric_id, ::inlay::abi::S64 delta), ::inlay::abi::kInAll) \
  X(proxy_record_metric, ::inlay::abi::Status, (uint32_t metric_id, ::inlay::abi::U64 value), ::inlay::abi::kInAll)    \
  X(proxy_get_metric, ::inlay::abi::Status, (uint32_t metric_id, ::inlay::abi::U64* return_value),                     \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_get_property, ::inlay::abi::Status,                                                                          \
    (const char* path_data, size_t path_size, char** return_data, size_t* return_size), ::inlay::abi::kInAll)          \
  X(proxy_set_property, ::inlay::abi::Status,                                                                          \
    (const char* path_data, size_t path_size, const char* value_data, size_t value_size), ::inlay::abi::kInAll)        \
  X(proxy_call_foreign_function, ::inlay::abi::Status,                                                                 \
    (const char* name_data, size_t name_size, const char* argument_data, size_t argument_size, char** return_data,     \
     size_t* return_size), ::inlay::abi::kInAll)

// X(name, result, (parameters), versions): imported from "wasi_snapshot_preview1", by old modules from "wasi_unstable".
// The set is what Rust, Go, AssemblyScript and C++ modules in the field import.
#define INLAY_ABI_WASI_FUNCTIONS(X)                                                                                    \
  X(args_get, ::inlay::abi::WasiErrno, (char** argv, char* buffer), ::inlay::abi::kInAll)                              \
  X(args_sizes_get, ::inlay::abi::WasiErrno, (size_t* return_count, size_t* return_size), ::inlay::abi::kInAll)        \
  X(clock_res_get, ::inlay::abi::WasiErrno, (uint32_t clock, ::inlay::abi::U64* return_time), ::inlay::abi::kInAll)    \
  X(clock_time_get, ::inlay::abi::WasiErrno,                                                                           \
    (uint32_t clock, ::inlay::abi::U64 precision, ::inlay::abi::U64* return_time), ::inlay::abi::kInAll)               \
  X(environ_get, ::inlay::abi::WasiErrno, (char** entries, char* buffer), ::inlay::abi::kInAll)                        \
  X(environ_sizes_get, ::inlay::abi::WasiErrno, (size_t* return_count, size_t* return_size), ::inlay::abi::kInAll)     \
  X(fd_close, ::inlay::abi::WasiErrno, (uint32_t fd), ::inlay::abi::kInAll)                                            \
  X(fd_fdstat_get, ::inlay::abi::WasiErrno, (uint32_t fd, char* return_stat), ::inlay::abi::kInAll)                    \
  X(fd_fdstat_set_flags, ::inlay::abi::WasiErrno, (uint32_t fd, uint32_t flags), ::inlay::abi::kInAll)                 \
  X(fd_filestat_get, ::inlay::abi::WasiErrno, (uint32_t fd, char* return_stat), ::inlay::abi::kInAll)                  \
  X(fd_prestat_dir_name, ::inlay::abi::WasiErrno, (uint32_t fd, char* path, size_t path_size), ::inlay::abi::kInAll)   \
  X(fd_prestat_get, ::inlay::abi::WasiErrno, (uint32_t fd, char* return_prestat), ::inlay::abi::kInAll)                \
  X(fd_read, ::inlay::abi::WasiErrno, (uint32_t fd, const char* iovecs, size_t count, size_t* return_size),            \
    ::inlay::abi::kInAll)                                                                                              \
  X(fd_seek, ::inlay::abi::WasiErrno,                                                                                  \
    (uint32_t fd, ::inlay::abi::S64 offset, uint32_t whence, ::inlay::abi::U64* return_offset), ::inlay::abi::kInAll)  \
  X(fd_write, ::inlay::abi::WasiErrno, (uint32_t fd, const char* iovecs, size_t count, size_t* return_size),           \
    ::inlay::abi::kInAll)                                                                                              \
  X(path_filestat_get, ::inlay::abi::WasiErrno,                                                                        \
    (uint32_t fd, uint32_t flags, const char* path_data, size_t path_size, char* return_stat), ::inlay::abi::kInAll)   \
  X(path_open, ::inlay::abi::WasiErrno,                                                                                \
    (uint32_t fd, uint32_t lookup_flags, const char* path_data, size_t path_size, uint32_t open_flags,                 \
     ::inlay::abi::U64 rights, ::inlay::abi::U64 inheriting_rights, uint32_t flags, uint32_t* return_fd),              \
    ::inlay::abi::kInAll)                                                                                              \
  X(poll_oneoff, ::inlay::abi::WasiErrno,                                                                              \
    (const char* subscriptions, char* events, size_t count, size_t* return_count), ::inlay::abi::kInAll)               \
  X(proc_exit, void, (uint32_t code), ::inlay::abi::kInAll)                                                            \
  X(random_get, ::inlay::abi::WasiErrno, (char* buffer, size_t buffer_size), ::inlay::abi::kInAll)                     \
  X(sched_yield, ::inlay::abi::WasiErrno, (), ::inlay::abi::kInAll)

// X(name, result, (parameters), versions): exported by the guest; a host calls those that it finds. Results that the
// specification calls proxy_action_t are numbers here, since hosts read more than two of them (abi/types.h).
#define INLAY_ABI_CALLBACKS(X)                                                                                         \
  X(proxy_on_context_create, void,                                                                                     \
    (::inlay::abi::ContextId context_id, ::inlay::abi::ContextId parent_context_id), ::inlay::abi::kInAll)             \
  X(proxy_on_vm_start, uint32_t, (::inlay::abi::ContextId root_id, size_t configuration_size), ::inlay::abi::kInAll)   \
  X(proxy_on_configure, uint32_t, (::inlay::abi::ContextId root_id, size_t configuration_size), ::inlay::abi::kInAll)  \
  X(proxy_on_tick, void, (::inlay::abi::ContextId root_id), ::inlay::abi::kInAll)                                      \
  X(proxy_on_queue_ready, void, (::inlay::abi::ContextId root_id, uint32_t queue_id), ::inlay::abi::kInAll)            \
  X(proxy_on_http_call_response, void,                                                                                 \
    (::inlay::abi::ContextId root_id, uint32_t call_id, size_t num_headers, size_t body_size, size_t num_trailers),    \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_on_grpc_receive_initial_metadata, void,                                                                      \
    (::inlay::abi::ContextId root_id, uint32_t call_id, size_t num_elements), ::inlay::abi::kInAll)                    \
  X(proxy_on_grpc_receive, void, (::inlay::abi::ContextId root_id, uint32_t call_id, size_t message_size),             \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_on_grpc_receive_trailing_metadata, void,                                                                     \
    (::inlay::abi::ContextId root_id, uint32_t call_id, size_t num_elements), ::inlay::abi::kInAll)                    \
  X(proxy_on_grpc_close, void, (::inlay::abi::ContextId root_id, uint32_t call_id, uint32_t status_code),              \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_on_new_connection, uint32_t, (::inlay::abi::ContextId context_id), ::inlay::abi::kInAll)                     \
  X(proxy_on_downstream_data, uint32_t,                                                                                \
    (::inlay::abi::ContextId context_id, size_t data_size, uint32_t end_of_stream), ::inlay::abi::kInAll)              \
  X(proxy_on_downstream_connection_close, void,                                                                        \
    (::inlay::abi::ContextId context_id, ::inlay::abi::PeerType peer), ::inlay::abi::kInAll)                           \
  X(proxy_on_upstream_data, uint32_t,                                                                                  \
    (::inlay::abi::ContextId context_id, size_t data_size, uint32_t end_of_stream), ::inlay::abi::kInAll)              \
  X(proxy_on_upstream_connection_close, void,                                                                          \
    (::inlay::abi::ContextId context_id, ::inlay::abi::PeerType peer), ::inlay::abi::kInAll)                           \
  X(proxy_on_request_headers, uint32_t,                                                                                \
    (::inlay::abi::ContextId context_id, size_t num_headers, uint32_t end_of_stream), ::inlay::abi::kInNew)            \
  X(proxy_on_request_body, uint32_t,                                                                                   \
    (::inlay::abi::ContextId context_id, size_t body_size, uint32_t end_of_stream), ::inlay::abi::kInAll)              \
  X(proxy_on_request_trailers, uint32_t, (::inlay::abi::ContextId context_id, size_t num_trailers),                    \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_on_request_metadata, uint32_t, (::inlay::abi::ContextId context_id, size_t num_elements),                    \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_on_response_headers, uint32_t,                                                                               \
    (::inlay::abi::ContextId context_id, size_t num_headers, uint32_t end_of_stream), ::inlay::abi::kInNew)            \
  X(proxy_on_response_body, uint32_t,                                                                                  \
    (::inlay::abi::ContextId context_id, size_t body_size, uint32_t end_of_stream), ::inlay::abi::kInAll)              \
  X(proxy_on_response_trailers, uint32_t, (::inlay::abi::ContextId context_id, size_t num_trailers),                   \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_on_response_metadata, uint32_t, (::inlay::abi::ContextId context_id, size_t num_elements),                   \
    ::inlay::abi::kInAll)                                                                                              \
  X(proxy_on_foreign_function, void,                                                                                   \
    (::inlay::abi::ContextId root_id, uint32_t function_id, size_t arguments_size), ::inlay::abi::kInNew)              \
  X(proxy_on_done, uint32_t, (::inlay::abi::ContextId context_id), ::inlay::abi::kInAll)                               \
  X(proxy_on_log, void, (::inlay::abi::ContextId context_id), ::inlay::abi::kInAll)                                    \
  X(proxy_on_delete, void, (::inlay::abi::ContextId context_id), ::inlay::abi::kInAll)                                 \
  X(proxy_on_memory_allocate, char*, (size_t size), ::inlay::abi::kInAll)                                              \
  X(malloc, char*, (size_t size), ::inlay::abi::kInAll)

// X(name, result, (parameters), versions): callbacks whose 0.1.0 form differs, in that form (no end_of_stream).
#define INLAY_ABI_CALLBACKS_0_1_0(X)                                                                                   \
  X(proxy_on_request_headers, uint32_t, (::inlay::abi::ContextId context_id, size_t num_headers),                      \
    ::inlay::abi::kInOld)                                                                                              \
  X(proxy_on_response_headers, uint32_t, (::inlay::abi::ContextId context_id, size_t num_headers),                     \
    ::inlay::abi::kInOld)
// clang-format on

namespace inlay::abi {

// ValType: a WebAssembly value type, with the byte that the binary format gives it.
enum class ValType : uint8_t { kI32 = 0x7f, kI64 = 0x7e, kF32 = 0x7d, kF64 = 0x7c };

// val_type<T>(): the value type that a parameter or result of type T crosses the boundary as.
template <class T>
constexpr ValType val_type() {
  if constexpr (std::is_same_v<T, U64> || std::is_same_v<T, S64>)
    return ValType::kI64;
  else if constexpr (std::is_same_v<T, double>)
    return ValType::kF64;
  else
    return ValType::kI32;
}

// HostType<T>: a parameter as the host sees it: an address or a size in the guest's memory is a uint32_t.
template <class T>
using HostType =
    std::conditional_t<std::is_same_v<T, U64>, uint64_t, std::conditional_t<std::is_same_v<T, S64>, int64_t, uint32_t>>;

inline constexpr size_t kMaxParams = 12;

// FunctionDecl is one row of a table. All of it has static storage.
struct FunctionDecl {
  std::string_view module;  // "env", "wasi_snapshot_preview1"; empty for a callback
  std::string_view name;
  std::array<ValType, kMaxParams> param_types{};
  uint8_t param_count = 0;
  ValType result_type = ValType::kI32;
  bool has_result = false;
  Versions versions = 0;

  constexpr std::span<const ValType> params() const { return {param_types.data(), param_count}; }
  constexpr std::span<const ValType> results() const { return {&result_type, has_result ? 1u : 0u}; }
  constexpr bool is_in(Version version) const { return (versions & versions_bit(version)) != 0; }
};

namespace detail {

template <class R, class... P>
constexpr FunctionDecl declare(std::string_view module, std::string_view name, Versions versions, R (*)(P...)) {
  static_assert(sizeof...(P) <= kMaxParams);
  FunctionDecl decl;
  decl.module = module;
  decl.name = name;
  decl.param_types = {val_type<P>()...};
  decl.param_count = static_cast<uint8_t>(sizeof...(P));
  decl.has_result = !std::is_void_v<R>;
  decl.versions = versions;
  return decl;
}

template <class F>
constexpr F* null_function() {
  return nullptr;
}

}  // namespace detail

#define INLAY_ABI_PROXY_ROW_(name, result, params, versions) \
  detail::declare("env", #name, versions, detail::null_function<result params>()),
#define INLAY_ABI_WASI_ROW_(name, result, params, versions) \
  detail::declare("wasi_snapshot_preview1", #name, versions, detail::null_function<result params>()),
#define INLAY_ABI_CALLBACK_ROW_(name, result, params, versions) \
  detail::declare("", #name, versions, detail::null_function<result params>()),

// kHostFunctions: everything that a guest may import, proxy functions first.
inline constexpr auto kHostFunctions = std::to_array<FunctionDecl>({INLAY_ABI_PROXY_FUNCTIONS(INLAY_ABI_PROXY_ROW_)  //
                                                                    INLAY_ABI_WASI_FUNCTIONS(INLAY_ABI_WASI_ROW_)});

// kCallbacks: everything that a guest may export. A name stands here twice if its 0.1.0 form differs.
inline constexpr auto kCallbacks = std::to_array<FunctionDecl>({INLAY_ABI_CALLBACKS(INLAY_ABI_CALLBACK_ROW_)  //
                                                                INLAY_ABI_CALLBACKS_0_1_0(INLAY_ABI_CALLBACK_ROW_)});

#undef INLAY_ABI_PROXY_ROW_
#undef INLAY_ABI_WASI_ROW_
#undef INLAY_ABI_CALLBACK_ROW_

// VersionMarker: the empty export by which a module says which ABI it was linked for.
struct VersionMarker {
  std::string_view name;
  Version version;
};
inline constexpr std::array<VersionMarker, 3> kVersionMarkers = {{
    {"proxy_abi_version_0_1_0", Version::k0_1_0},
    {"proxy_abi_version_0_2_0", Version::k0_2_0},
    {"proxy_abi_version_0_2_1", Version::k0_2_1},
}};

// Other modules' names for the module names above, tried after them.
struct ModuleAlias {
  std::string_view alias;
  std::string_view module;
};
inline constexpr std::array<ModuleAlias, 1> kModuleAliases = {{{"wasi_unstable", "wasi_snapshot_preview1"}}};

// find_host_function(module, name): the row, or nullptr. Aliases of the module's name are understood.
constexpr const FunctionDecl* find_host_function(std::string_view module, std::string_view name) {
  for (const ModuleAlias& a : kModuleAliases) {
    if (a.alias == module) module = a.module;
  }
  for (const FunctionDecl& f : kHostFunctions) {
    if (f.name == name && f.module == module) return &f;
  }
  return nullptr;
}

// find_callback(name, version): the row for that ABI version, or nullptr.
constexpr const FunctionDecl* find_callback(std::string_view name, Version version) {
  for (const FunctionDecl& f : kCallbacks) {
    if (f.name == name && f.is_in(version)) return &f;
  }
  return nullptr;
}

}  // namespace inlay::abi
