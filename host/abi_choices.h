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
    {"host functions before any callback (the start function, `_initialize`, `_start`, `main`)", Follows::kEnvoy,
     "`proxy_log`, and of WASI clocks, randomness, arguments, environment, `fd_write`, `fd_fdstat_*`, `fd_prestat_*`, "
     "`fd_filestat_get`, `path_filestat_get`, `poll_oneoff` and what returns ENOSYS only. Any other ends the module: "
     "it is not loaded, and the message names "
     "the function. (Envoy 1.36 also refuses `clock_res_get`, `fd_filestat_get`, `path_filestat_get` and "
     "`poll_oneoff`; a call of `env` in a start function ends its process.)"},
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
     "get another entry. A field that is set again goes behind the others. BadArgument for a map that cannot be "
     "changed "
     "now."},
    {"editing a map, a name or value that is none", Follows::kEnvoy,
     "Ok, with a line of the log. A request, or a call, with a character that no name or value can have (CR, LF, NUL, "
     "...) is not sent: it is answered with 503 `invalid header value for: x`, flags DPE. So is, other than in Envoy, "
     "which sends it and with it what its author likes, a response (without flags), and a request that is redirected "
     "to such a path. A trailer of that kind, and a field with an empty name, is left out."},
    {"malformed pairs", Follows::kOwn,
     "BadArgument; Envoy takes them for an empty map, which it refuses of a call, for that lacks its `:path` then. "
     "Bytes "
     "behind the last pair make pairs malformed in both."},
    {"maps of a stream in its `proxy_on_done` and `proxy_on_delete`", Follows::kEnvoy,
     "Not there, nor are the properties that come from headers (`request.path`, `request.headers`, `request.id`, ...): "
     "`proxy_on_log`, which comes before, is where a stream is read as a whole. Codes, flags, addresses, times and "
     "sizes "
     "of bodies stay."},
    {"request trailers while the stream is logged", Follows::kEnvoy, "Not there."},
    {"the end of a body", Follows::kEnvoy,
     "With HTTP/1 a callback of its own, whether it came with the last bytes or not: pieces have `end_of_stream` 0, "
     "then "
     "comes an empty one with 1. Trailers are the end where there are any; a message without a body ends with its "
     "headers; "
     "a local reply's body is one piece with its end. So a filter that needs a whole body pauses in every callback "
     "until "
     "`end_of_stream` and reads it there: one that pauses or replaces only there finds nothing, what came before has "
     "gone."},
    {"trailers at the end of a body", Follows::kEnvoy,
     "Adding to trailers that are not there creates them, in the body callback with `end_of_stream`."},
    // Buffers
    {"`proxy_get_buffer_bytes`, `proxy_get_buffer_status`, buffer not there", Follows::kEnvoy,
     "Bodies, the bytes of connections and those of gRPC: Ok and empty, in every context. The answer to a call (also "
     "of "
     "one that was reset) and the plugin's configuration: NotFound. The arguments of a foreign function are what the "
     "context has looked at last."},
    {"`proxy_get_buffer_bytes`, beyond the end", Follows::kEnvoy,
     "Ok, and what there is, whatever start and length are: the largest length gives all that follows."},
    {"`proxy_set_buffer_bytes`", Follows::kEnvoy,
     "Start 0 replaces the first bytes, start at or beyond the end appends; a start in the middle is BadArgument."},
    {"`proxy_set_buffer_bytes`, buffer not there", Follows::kEnvoy,
     "BadArgument; NotFound of the answer to a call and of the plugin's configuration."},
    {"a body after its callback", Follows::kText,
     "Can be read and changed as long as the stream is paused from the body callback, as by an answer to a call."},
    {"VM configuration", Follows::kEnvoy,
     "Can be read at any time; the plugin's in its root's `proxy_on_context_create` and `proxy_on_configure`."},
    {"`proxy_get_configuration` (0.1.0)", Follows::kEnvoy, "The plugin's where that can be read, else the VM's."},
    // Streams
    {"`proxy_send_local_response`", Follows::kEnvoy,
     "Ok, also where there is no stream or it is answered already; sent when the guest has returned, the first one "
     "counts. (On a stream that is over, and where the answers to calls reply twice, that is a "
     "[hazard](../guide/hazards.md): Envoy ends.) A gRPC status counts from 0 to 16. White space "
     "in the details becomes `_`."},
    {"`proxy_send_local_response`, headers", Follows::kEnvoy,
     "Pseudo-headers such as `:status` are left out. So is a field whose name or value has a character that would "
     "break "
     "the response (CR, LF, NUL, ...; Envoy sends it, which lets its author write headers and bodies of others' "
     "responses), and malformed pairs as a whole; either with a line of the log."},
    {"`proxy_send_local_response`, status outside of 200..599", Follows::kOwn,
     "Ok, and 500 is sent, with a line of the log; Envoy sends the status as it is."},
    {"`proxy_done`, `proxy_on_done`", Follows::kEnvoy,
     "What `proxy_on_done` of a stream or a connection says does not matter: `proxy_on_delete` follows, and "
     "`proxy_done` "
     "is NotFound. A root context that says `false` at the end of the process gets no `proxy_on_delete`, and is not "
     "waited for."},
    {"a call from `proxy_on_done` when the proxy ends", Follows::kEnvoy,
     "Sent if a connection stands that is free, and reset. There is no answer."},
    {"order at a stream's end", Follows::kEnvoy,
     "`proxy_on_log`, `proxy_on_done`, `proxy_on_delete`; of a connection `proxy_on_done`, `proxy_on_log`, "
     "`proxy_on_delete`."},
    {"HTTP's functions on a connection, TCP's on an HTTP stream, either in a root context", Follows::kEnvoy,
     "Maps and buffers are not there. `proxy_continue_stream` and `proxy_close_stream` of a direction that the context "
     "does not have are Ok and do nothing, as `proxy_send_local_response` is and does."},
    {"`proxy_continue_stream` of a direction of a request that is not paused", Follows::kOwn,
     "Ok. Inside of the direction's own callback the stream goes on whatever that returns, but not with a piece of a "
     "body "
     "that is paused before the last; else nothing happens. Of headers Envoy sends the head twice, lets the stream "
     "hang, "
     "or ends its process: a [hazard](../guide/hazards.md)."},
    {"a body that is resumed in its middle, while more of it comes", Follows::kEnvoy,
     "Each piece that comes is a callback. Until 1.37 Envoy loses the next piece, and the request hangs."},
    {"`proxy_continue_stream` of what an upstream sends on a connection", Follows::kEnvoy,
     "Unimplemented, in every context: bytes that are held go on with a callback that continues."},
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
     "A timeout is an answer of 504, a refused connection one of 503, whose body does not say why there is no "
     "connection "
     "(until 1.37 Envoy's does); a reset is 0 headers and `proxy_get_status` 11."},
    {"a body over the buffer limit", Follows::kEnvoy,
     "The guest that buffers a request sees the piece with which it is too much; then comes 413, whatever it has said "
     "or "
     "replied. Of a response, 500 comes at once."},
    {"`proxy_get_status`", Follows::kText,
     "Of the call whose callback is running, whatever the effective context; else 0."},
    {"`proxy_grpc_call`, `proxy_grpc_stream`, target", Follows::kEnvoy,
     "A GrpcService's bytes with `envoy_grpc` (`cluster_name`, `authority`, `max_receive_message_length`; its "
     "`initial_metadata`; not its `timeout`, as in Envoy), or the name of a cluster, which is ParseFailure if there is "
     "none. A cluster of a GrpcService's that is not there, or has no host, is InternalFailure, and "
     "`proxy_on_grpc_close` with Unavailable for a token that the guest never got. Bytes that are a GrpcService by "
     "accident and name no target are a cluster's name."},
    {"`proxy_grpc_call`, `google_grpc`", Follows::kOwn,
     "BadArgument, as in an Envoy that was built without it, and a line in the log. A `retry_policy` is not heeded, "
     "and "
     "the log says so."},
    {"gRPC callbacks", Follows::kEnvoy,
     "All are the root context's. A call ends with `proxy_on_grpc_receive` and its last message if its status is Ok, "
     "else with `proxy_on_grpc_close`, and has no other callback. A stream has all of them, in order; metadata that "
     "did "
     "not come is empty, and what is no more than a head is trailing metadata."},
    {"gRPC, status", Follows::kEnvoy,
     "The server's; of an HTTP status other than 200 the one that stands for it; Unknown where none came, Internal for "
     "a "
     "compressed message and a reset, ResourceExhausted for a message that is too large, 4294967295 for what is no "
     "status. `proxy_get_status` gives grpc-message as it came, not decoded, and behind it where it came from, in "
     "braces: "
     "`no{via_upstream}`."},
    {"`proxy_grpc_send`, `proxy_grpc_close`, `proxy_grpc_cancel`", Follows::kEnvoy,
     "BadArgument for a token that is of no stream (of no call or stream: its low two bits), NotFound for one that is "
     "not under way. Close ends what is sent, and of a call is cancel; after a cancel no callback comes. A stream that "
     "the "
     "server has ended is there until it is closed or cancelled: to send on it is Ok, and nothing is sent."},
    // Properties
    {"`proxy_get_property`, root of a map", Follows::kEnvoy,
     "SerializationFailure for `request`, `xds` and their like, and for an empty path."},
    {"`proxy_set_property`", Follows::kEnvoy,
     "Filter state `wasm.<path>`, readable by the same path if that has one part. One NUL at the end of a path is "
     "ignored. NotFound outside of a stream."},
    // WASI
    {"`fd_write`", Follows::kOwn,
     "One call that ends a line is one record of the log, without its last line end; 1 at info, 2 at error. What is "
     "written in pieces is one record when its line or the callback ends, so that a panic of Go can be read; in Envoy "
     "each "
     "call is a record."},
    {"`poll_oneoff`", Follows::kOwn,
     "Waits for the clock, at most 10 ms a call, which is time of the callback's budget: Go's runtime sleeps before it "
     "prints a panic. Envoy has ENOSYS up to 1.37, and Ok since 1.39."},
    {"`fd_read`", Follows::kEnvoy, "ENOSYS."},
    {"`proc_exit`", Follows::kEnvoy, "Returns; what a compiler puts behind it is then a trap."},
    {"`random_get`", Follows::kEnvoy, "At most 64 KiB, else EINVAL."},
};

}  // namespace inlay::host
