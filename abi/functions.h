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
//     using namespace inlay;
//     size_t count_of(abi::Version version) {
//       size_t count = 0;
//       for (const abi::FunctionDecl& f : abi::kHostFunctions) count += f.is_in(version) ? 1 : 0;
//       return count;
//     }
//
// Only U64 and S64 are i64 on the wire and double would be f64; all else, pointers and sizes too, is i32.
//
// Everything here is a constant; any thread may use it. docs/reference/abi.md is made from it, and has what hosts do
// where the specification leaves something open.

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
//
// Pointers are addresses in the guest's memory. A `..._data` and `..._size` pair is bytes that the host only reads, and
// only during the call. What begins with `return_` is written if the function returns kOk. A `char**` and `size_t*`
// pair among them takes a value that the host has allocated in the guest with proxy_on_memory_allocate or malloc, and
// that the guest frees; an empty value is a null pointer and size 0. Header maps are in the form of abi/pairs.h.
//
// Each returns kOk, kInvalidMemoryAccess for an address outside of the memory, or what is said here. Those that concern
// a stream act on the effective context, which is that of the callback unless the guest has set another.
//
//   proxy_log                      one line for the host's log; lines below its level are dropped
//   proxy_get_log_level            the level of the host's log
//   proxy_get_current_time_...     wall clock, nanoseconds since 1970
//   proxy_set_tick_period_...      milliseconds between calls of proxy_on_tick of the root context; 0 ends them
//   proxy_get_configuration        0.1.0: the plugin's configuration where that can be read, else the VM's
//   proxy_done                     ends a root context whose proxy_on_done returned 0; else kNotFound
//   proxy_set_effective_context    0: back to that of the callback; kBadArgument for an unknown one
//   proxy_get_buffer_bytes         at most max_size bytes from `start`, fewer at the end; kNotFound, kBadArgument
//   proxy_get_buffer_status        a buffer's size; flags are 0
//   proxy_set_buffer_bytes         the value in the place of `size` bytes at `start`; kBadArgument if it cannot be
//   proxy_get_header_map_size      the bytes of all names and values
//   proxy_get_header_map_pairs     the whole map
//   proxy_set_header_map_pairs     a new one in its place; kBadArgument if it is malformed
//   proxy_get_header_map_value     the first value of a name; kNotFound if there is none
//   proxy_add_header_map_value     one more value of a name
//   proxy_replace_header_map_...   the only value of a name from now on
//   proxy_remove_header_map_...    no value of a name; kOk also if there was none
//   proxy_continue_stream          lets a paused direction go on; of kUpstream kUnimplemented
//   proxy_close_stream             resets an HTTP stream, closes a TCP connection
//   proxy_continue_request, _response    the same in 0.1.0
//   proxy_clear_route_cache        0.1.0: the route is chosen anew
//   proxy_get_status               of the call whose callback is running: 0, or 11 after a reset
//   proxy_send_local_response      an answer in the place of the upstream's; a gRPC status above 16 is none
//   proxy_http_call                kBadArgument: unknown cluster, no :method, :path or :authority, negative time-out.
//                                  kInternalFailure: not sent. A time-out of 0 is none
//   proxy_grpc_call, _stream       a token; kParseFailure: neither a GrpcService nor a cluster's name; kBadArgument: a
//                                  target that the host cannot reach; kInternalFailure: not sent
//   proxy_grpc_send, _close        kBadArgument for a token that is of no stream, kNotFound for one that is not there
//   proxy_grpc_cancel              the same
//   proxy_set_shared_data          kCasMismatch for a `cas` other than 0 that is not the number of the value that is
//   there proxy_get_shared_data          kNotFound for a key that was never set proxy_register_shared_queue    makes a
//   queue, or takes one over proxy_resolve_shared_queue     the number of a queue; kNotFound. An empty vm_id is the
//   guest's own proxy_enqueue_shared_queue     kNotFound: no such queue; kInternalFailure: it is full
//   proxy_dequeue_shared_queue     kNotFound; kEmpty
//   proxy_define_metric            kBadArgument: an unknown type, or a name too long; kInternalFailure: too many
//   metrics proxy_increment_metric         kNotFound; kBadArgument for a histogram, and for a counter's delta below 1
//   proxy_record_metric            sets a gauge, adds a value to a histogram, adds to a counter; kNotFound
//   proxy_get_metric               kNotFound; kBadArgument for a histogram
//   proxy_get_property             the path's parts have a NUL between each two; kNotFound, kSerializationFailure
//   proxy_set_property             for the rest of the stream; kNotFound outside of one, kBadArgument if read-only
//   proxy_call_foreign_function    kNotFound; else the function's own statuses
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
// The set is what Rust, Go, AssemblyScript and C++ modules in the field import. There are no files: fd_write takes what
// goes to 1 (a line of the log at info) and 2 (at error), environment variables are those of the VM's configuration, and
// there are no arguments. poll_oneoff waits for clocks only.
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

// X(name, result, (parameters), versions): exported by the guest; a host calls those that it finds, and takes one that is
// missing for one that does nothing and continues. Results that the specification calls proxy_action_t are numbers here,
// since hosts read more than two of them (abi/types.h). `end_of_stream` is 0 or 1.
//
//   proxy_on_context_create        before any other callback of a context; a parent of 0: it is a root context
//   proxy_on_vm_start              once a VM; 0 refuses the configuration
//   proxy_on_configure             once for each root context; 0 refuses the configuration
//   proxy_on_tick                  a period after the last tick, or after it was set
//   proxy_on_queue_ready           an item is in a queue that this root context has registered
//   proxy_on_http_call_response    an answer; 0 headers: there is none
//   proxy_on_new_connection        before any of a connection's bytes
//   proxy_on_downstream_data, proxy_on_upstream_data    bytes that the client, or the server, has sent
//   proxy_on_..._connection_close  no bytes follow; after it proxy_on_done, proxy_on_log, proxy_on_delete
//   proxy_on_request_..., proxy_on_response_...    a piece of an HTTP stream. Return HeadersStatus, DataStatus,
//                                  TrailersStatus
//   proxy_on_foreign_function      a call by an extension of the host; neither Envoy nor Inlay makes one
//   proxy_on_log, proxy_on_done    the stream is over; of HTTP in this order. 0 from proxy_on_done of a root context
//                                  asks the host to wait for proxy_done; Envoy and Inlay do not wait
//   proxy_on_delete                the last callback of a context
//   proxy_on_memory_allocate       `size` bytes that the guest owns, 0 if there are none left; `malloc` in its place
//                                  for modules that have only that
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

// HostType<T>: a parameter as the host gets it, a number without a sign: an address or a size in the guest's memory is
// a uint32_t.
template <class T>
using HostType = std::conditional_t<val_type<T>() == ValType::kI64, uint64_t, uint32_t>;

// kMaxParams: of the longest list, proxy_grpc_call's.
inline constexpr size_t kMaxParams = 12;

// FunctionDecl is one row of a table. All that it shows has static storage.
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

// kCallbacks: everything that a guest may export. A name is here twice if its 0.1.0 form differs.
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
