// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host functions: what a guest may import. Declared in abi/functions.h (the table), defined in functions_*.cc (a
// file a family), joined in functions.cc, where their signatures are checked against the table.
//
// Every argument comes from the guest and may be anything. A function of `proxy` returns a Status, a function of `wasi`
// an Errno; both act on Vm::current(), which is nullptr while the module is initialised and inside of the guest's
// allocator: then everything that needs a context fails with kInternalFailure.

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "engine/engine.h"

namespace inlay::host {

class Vm;

// All host functions, also under the old module name wasi_unstable.
std::span<const engine::HostFunction> all_functions();
// nullptr: no such function.
const engine::HostFunction* find_function(std::string_view module, std::string_view name);

// Whether a module of that ABI version can import it, which goes by version as in Envoy (1.36 to 1.40).
bool is_offered(std::string_view module, std::string_view name, abi::Version version);

// Support is what a function does for a guest that calls it.
enum class Support : uint8_t {
  kFull,
  kUnimplemented,  // can be imported and always fails
  kNosys,          // can be imported and always returns ENOSYS
  kAbsent,         // no such function: a module that imports it cannot run here
};
Support support(std::string_view module, std::string_view name);

// All host functions, those of them that `allowed` does not name replaced by one that logs and fails.
std::vector<engine::HostFunction> restricted_functions(const std::set<std::string>& allowed);

namespace proxy {

using abi::Status;
using u32 = uint32_t;
using u64 = uint64_t;

Status proxy_log(Vm& vm, u32 level, u32 message, u32 message_size);
Status proxy_get_log_level(Vm& vm, u32 return_level);

Status proxy_get_current_time_nanoseconds(Vm& vm, u32 return_time);
Status proxy_set_tick_period_milliseconds(Vm& vm, u32 period);

Status proxy_get_configuration(Vm& vm, u32 return_data, u32 return_size);
Status proxy_get_buffer_bytes(Vm& vm, u32 type, u32 start, u32 max_size, u32 return_data, u32 return_size);
Status proxy_get_buffer_status(Vm& vm, u32 type, u32 return_size, u32 return_flags);
Status proxy_set_buffer_bytes(Vm& vm, u32 type, u32 start, u32 size, u32 value, u32 value_size);

Status proxy_get_header_map_size(Vm& vm, u32 map, u32 return_size);
Status proxy_get_header_map_pairs(Vm& vm, u32 map, u32 return_data, u32 return_size);
Status proxy_set_header_map_pairs(Vm& vm, u32 map, u32 pairs, u32 pairs_size);
Status proxy_get_header_map_value(Vm& vm, u32 map, u32 key, u32 key_size, u32 return_data, u32 return_size);
Status proxy_add_header_map_value(Vm& vm, u32 map, u32 key, u32 key_size, u32 value, u32 value_size);
Status proxy_replace_header_map_value(Vm& vm, u32 map, u32 key, u32 key_size, u32 value, u32 value_size);
Status proxy_remove_header_map_value(Vm& vm, u32 map, u32 key, u32 key_size);

Status proxy_done(Vm& vm);
Status proxy_set_effective_context(Vm& vm, u32 context);
Status proxy_continue_stream(Vm& vm, u32 stream);
Status proxy_close_stream(Vm& vm, u32 stream);
Status proxy_continue_request(Vm& vm);
Status proxy_continue_response(Vm& vm);
Status proxy_clear_route_cache(Vm& vm);
Status proxy_send_local_response(Vm& vm, u32 status, u32 details, u32 details_size, u32 body, u32 body_size,
                                 u32 headers, u32 headers_size, u32 grpc_status);

Status proxy_http_call(Vm& vm, u32 upstream, u32 upstream_size, u32 headers, u32 headers_size, u32 body, u32 body_size,
                       u32 trailers, u32 trailers_size, u32 timeout, u32 return_token);
Status proxy_get_status(Vm& vm, u32 return_code, u32 return_data, u32 return_size);

Status proxy_grpc_call(Vm& vm, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32);
Status proxy_grpc_stream(Vm& vm, u32, u32, u32, u32, u32, u32, u32, u32, u32);
Status proxy_grpc_send(Vm& vm, u32, u32, u32, u32);
Status proxy_grpc_cancel(Vm& vm, u32);
Status proxy_grpc_close(Vm& vm, u32);

Status proxy_set_shared_data(Vm& vm, u32 key, u32 key_size, u32 value, u32 value_size, u32 cas);
Status proxy_get_shared_data(Vm& vm, u32 key, u32 key_size, u32 return_data, u32 return_size, u32 return_cas);
Status proxy_register_shared_queue(Vm& vm, u32 name, u32 name_size, u32 return_id);
Status proxy_resolve_shared_queue(Vm& vm, u32 vm_id, u32 vm_id_size, u32 name, u32 name_size, u32 return_id);
Status proxy_enqueue_shared_queue(Vm& vm, u32 queue, u32 value, u32 value_size);
Status proxy_dequeue_shared_queue(Vm& vm, u32 queue, u32 return_data, u32 return_size);

Status proxy_define_metric(Vm& vm, u32 type, u32 name, u32 name_size, u32 return_id);
Status proxy_increment_metric(Vm& vm, u32 metric, u64 delta);
Status proxy_record_metric(Vm& vm, u32 metric, u64 value);
Status proxy_get_metric(Vm& vm, u32 metric, u32 return_value);

Status proxy_get_property(Vm& vm, u32 path, u32 path_size, u32 return_data, u32 return_size);
Status proxy_set_property(Vm& vm, u32 path, u32 path_size, u32 value, u32 value_size);
Status proxy_call_foreign_function(Vm& vm, u32 name, u32 name_size, u32 argument, u32 argument_size, u32 return_data,
                                   u32 return_size);

}  // namespace proxy

namespace wasi {

enum class Errno : uint32_t {
  kSuccess = 0,
  kBadf = 8,
  kFault = 21,
  kInval = 28,
  kNoent = 44,
  kNosys = 52,
  kNotsup = 58,
  kNotcapable = 76,
};
using u32 = uint32_t;
using u64 = uint64_t;

Errno args_get(Vm& vm, u32 argv, u32 buffer);
Errno args_sizes_get(Vm& vm, u32 return_count, u32 return_size);
Errno clock_res_get(Vm& vm, u32 clock, u32 return_time);
Errno clock_time_get(Vm& vm, u32 clock, u64 precision, u32 return_time);
Errno environ_get(Vm& vm, u32 entries, u32 buffer);
Errno environ_sizes_get(Vm& vm, u32 return_count, u32 return_size);
Errno fd_close(Vm& vm, u32 fd);
Errno fd_fdstat_get(Vm& vm, u32 fd, u32 return_stat);
Errno fd_fdstat_set_flags(Vm& vm, u32 fd, u32 flags);
Errno fd_filestat_get(Vm& vm, u32 fd, u32 return_stat);
Errno fd_prestat_dir_name(Vm& vm, u32 fd, u32 path, u32 path_size);
Errno fd_prestat_get(Vm& vm, u32 fd, u32 return_prestat);
Errno fd_read(Vm& vm, u32 fd, u32 iovecs, u32 count, u32 return_size);
Errno fd_seek(Vm& vm, u32 fd, u64 offset, u32 whence, u32 return_offset);
Errno fd_write(Vm& vm, u32 fd, u32 iovecs, u32 count, u32 return_size);
Errno path_filestat_get(Vm& vm, u32 fd, u32 flags, u32 path, u32 path_size, u32 return_stat);
Errno path_open(Vm& vm, u32 fd, u32 lookup, u32 path, u32 path_size, u32 flags, u64 rights, u64 inheriting,
                u32 fd_flags, u32 return_fd);
Errno poll_oneoff(Vm& vm, u32 subscriptions, u32 events, u32 count, u32 return_count);
void proc_exit(Vm& vm, u32 code);
Errno random_get(Vm& vm, u32 buffer, u32 buffer_size);
Errno sched_yield(Vm& vm);

}  // namespace wasi
}  // namespace inlay::host
