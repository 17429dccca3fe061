// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the text of the ABI leaves something open, or says one thing and Envoy does another: what this host does.
// docs/reference/abi.md is made from it; a change of behaviour changes its row.

#include <cstdint>
#include <string_view>

namespace inlay::host {

enum class Follows : uint8_t {
  kEnvoy,  // Envoy, against the text or where it is silent
  kText,   // the text, against Envoy
  kOwn,    // neither: stricter than both, since what they do there is of no use to a guest
};

struct AbiChoice {
  std::string_view what;
  Follows follows;
  std::string_view how;
};

inline constexpr AbiChoice kAbiChoices[] = {
    // Header maps
    {"`proxy_get_header_map_value`, map not there", Follows::kEnvoy,
     "BadArgument; NotFound while the stream is logged. ABI 0.1.0: a missing value is Ok and empty, also while the "
     "stream is logged."},
    {"`proxy_get_header_map_pairs`, map not there", Follows::kEnvoy, "Ok and empty."},
    {"`proxy_get_header_map_size`", Follows::kEnvoy,
     "The bytes of all names and values, not of their wire form. Also of maps that can only be read, where Envoy has "
     "BadArgument."},
    {"editing a map", Follows::kEnvoy,
     "Names become lower-case. In a request `host` is another name of `:authority`. A second value of a field that the "
     "proxy itself knows (`content-type`, `x-forwarded-for`, ...) is appended to the first with a comma; other fields "
     "get another entry. BadArgument for a map that cannot be changed now."},
    {"editing a map, invalid name or value", Follows::kOwn,
     "BadArgument; Envoy lets CR, LF and NUL through to its codec."},
    {"malformed pairs", Follows::kOwn, "BadArgument; Envoy takes them for an empty map."},
    {"request trailers while the stream is logged", Follows::kText, "Can be read; Envoy has none there."},
    {"trailers on the last piece of a body", Follows::kEnvoy,
     "Adding to trailers that are not there creates them, in the body callback with `end_of_stream`."},
    // Buffers
    {"`proxy_get_buffer_bytes`, `proxy_get_buffer_status`, buffer not there", Follows::kText,
     "NotFound; Envoy has Ok and empty for bodies and the bytes of connections."},
    {"`proxy_get_buffer_bytes`, beyond the end", Follows::kEnvoy,
     "Ok, and what there is; BadArgument if start + length overflows."},
    {"`proxy_set_buffer_bytes`", Follows::kEnvoy,
     "Start 0 replaces the first bytes, start at or beyond the end appends; a start in the middle is BadArgument."},
    {"`proxy_set_buffer_bytes`, buffer not there", Follows::kText, "NotFound; Envoy has BadArgument."},
    {"a body after its callback", Follows::kText,
     "Can be read and changed as long as the stream is paused from the body callback, as by an answer to a call."},
    {"VM configuration", Follows::kEnvoy,
     "Can be read at any time; the plugin's in its root's `proxy_on_context_create` and `proxy_on_configure`."},
    {"`proxy_get_configuration` (0.1.0)", Follows::kEnvoy, "The plugin's where that can be read, else the VM's."},
    // Streams
    {"`proxy_send_local_response`", Follows::kEnvoy,
     "Ok, also where there is no stream or it is answered already; sent when the guest has returned, the first one "
     "counts. A gRPC status counts from 0 to 16. White space in the details becomes `_`."},
    {"`proxy_send_local_response`, status outside of 200..599", Follows::kOwn, "BadArgument; Envoy sends it."},
    {"`proxy_done`, `proxy_on_done` of a stream", Follows::kText,
     "`false` keeps the context until `proxy_done`; Envoy does so for root contexts only. At the end of the process "
     "root "
     "contexts are not waited for."},
    {"order at a stream's end", Follows::kEnvoy,
     "`proxy_on_log`, `proxy_on_done`, `proxy_on_delete`; of a connection `proxy_on_done`, `proxy_on_log`, "
     "`proxy_on_delete`."},
    {"HTTP's functions on a connection, TCP's on an HTTP stream, either in a root context", Follows::kEnvoy,
     "Maps and buffers are not there. `proxy_continue_stream` and `proxy_close_stream` of a direction that the context "
     "does not have are Ok and do nothing, as `proxy_send_local_response` is and does."},
    {"`proxy_continue_stream` of what an upstream sends on a connection", Follows::kOwn,
     "It goes on after a pause. Envoy has Unimplemented, in every context; so has this host with `--envoy-strict`, and "
     "in "
     "contexts that are no connection's."},
    {"bytes of a connection after their callback", Follows::kEnvoy,
     "Can be read and changed as long as their direction is paused."},
    {"`proxy_on_upstream_connection_close`", Follows::kEnvoy,
     "With the upstream's last byte, of type unknown; not when the connection to it breaks, which ends the client's "
     "too."},
    {"`proxy_on_new_connection` that pauses", Follows::kEnvoy,
     "Before a tcp_proxy nothing is read from the client until `proxy_continue_stream`; before an "
     "HttpConnectionManager the "
     "next bytes come to `proxy_on_downstream_data`."},
    {"`proxy_set_effective_context(0)`", Follows::kEnvoy, "Back to the context of the callback."},
    // Calls
    {"`proxy_http_call`", Follows::kEnvoy,
     "BadArgument for an unknown cluster, a missing `:path`, `:method` or `:authority` (`host` will do), a negative "
     "timeout; 0 is none. InternalFailure, and no callback, without a healthy host. Trailers are checked and not sent. "
     "`content-length` is set for a body, `x-envoy-internal` and `x-envoy-expected-rq-timeout-ms` are added."},
    {"a call that failed", Follows::kEnvoy,
     "A timeout is an answer of 504, a refused connection one of 503; a reset is 0 headers and `proxy_get_status` 11."},
    {"`proxy_get_status`", Follows::kText,
     "Of the call whose callback is running, whatever the effective context; else 0."},
    {"gRPC", Follows::kOwn, "All `proxy_grpc_*` return Unimplemented: there is no HTTP/2."},
    // Data, queues, metrics, timers
    {"`proxy_set_shared_data`, key absent", Follows::kEnvoy, "A compare-and-swap value is not looked at."},
    {"shared queues", Follows::kEnvoy,
     "The last root context to register one is told of items. An empty VM id resolves the guest's own."},
    {"`proxy_define_metric`", Follows::kEnvoy,
     "The low two bits of an id are the type. The same name and type gives the same id; a counter and a gauge may have "
     "one name. An empty name is BadArgument."},
    {"`proxy_increment_metric`, `proxy_get_metric`", Follows::kEnvoy,
     "BadArgument for an id that says histogram, known or not, and for a counter's delta below 1."},
    {"`proxy_record_metric` of a counter", Follows::kEnvoy, "Adds."},
    {"timers", Follows::kEnvoy, "Armed anew after each tick: the time that a tick takes is not made up for."},
    // Properties
    {"`proxy_get_property`, root of a map", Follows::kEnvoy,
     "SerializationFailure for `request`, `xds` and their like, and for an empty path."},
    {"`proxy_set_property`", Follows::kEnvoy,
     "Filter state `wasm.<path>`, readable by the same path if that has one part. One NUL at the end of a path is "
     "ignored. NotFound outside of a stream."},
    // WASI
    {"`fd_write`", Follows::kEnvoy,
     "One call is one record of the log, without its last line end; 1 at info, 2 at error."},
    {"`poll_oneoff`, `fd_read`", Follows::kEnvoy,
     "ENOSYS: a worker does not wait. Go's runtime stops when it has to sleep."},
    {"`proc_exit`", Follows::kEnvoy, "Returns; what a compiler puts behind it is then a trap."},
    {"`random_get`", Follows::kEnvoy, "At most 64 KiB, else EINVAL."},
};

}  // namespace inlay::host
