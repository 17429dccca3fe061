// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an embedder (the proxy, the testkit, another proxy) implements so that guests run in it. host/ never sees a
// socket, a codec or YAML. host/standalone.h implements all of it for a program without an event loop; host/tcp.h has
// what a TCP connection is.
//
// An object belongs to one worker's thread, and is called on that thread alone, unless it says otherwise here (Clock,
// Log, WorkerServices::post). Nothing here may throw. The host calls into an embedder from inside of a guest's
// callback, which the embedder has called itself: it must be ready for that.
//
//     // A stream that only logs what a guest does, and answers no attribute.
//     class LoggedStream final : public HttpStream {
//      public:
//       LoggedStream(Log& log, http::HeaderMap& request) : log_(log), request_(request) {}
//       http::HeaderMap* headers(abi::MapType type, bool) override {
//         return type == abi::MapType::kHttpRequestHeaders ? &request_ : nullptr;
//       }
//       Buffer* body(abi::BufferType) override { return nullptr; }
//       void continue_stream(Direction) override { tell("continues"); }
//       void send_local_reply(LocalReply reply) override { tell("answers with " + std::to_string(reply.status)); }
//       void reset(std::string_view details) override { tell("is reset: " + std::string(details)); }
//       void clear_route_cache() override {}
//       abi::Status get_property(const std::vector<std::string_view>&, std::string&) override {
//         return abi::Status::kNotFound;
//       }
//       abi::Status set_property(std::string_view, std::string_view, const PropertyTraits&) override {
//         return abi::Status::kInternalFailure;
//       }
//
//      private:
//       void tell(std::string_view what) { log_.write(abi::LogLevel::kInfo, "wasm", what); }
//       Log& log_;
//       http::HeaderMap& request_;
//     };

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "abi/types.h"
#include "base/buffer.h"
#include "base/result.h"
#include "http/header_map.h"

namespace inlay::host {

using Nanoseconds = std::chrono::nanoseconds;

// LocalReply is an answer made by the proxy itself (proxy_send_local_response). The host has checked it: what a guest
// gave that cannot be sent is left out, and the log says so.
struct LocalReply {
  uint32_t status = 500;  // 200 to 599
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};  // appended
  std::optional<uint32_t> grpc_status{};                       // only 0..16
  std::string details{};                                       // response code details, white space already replaced
};

// Direction: of an HTTP stream.
enum class Direction : uint8_t { kRequest, kResponse };

// PropertyTraits is what a guest has declared of a property (foreign function declare_property), for its first value.
struct PropertyTraits {
  bool read_only = false;      // the first value stays
  bool of_connection = false;  // it lives as long as the downstream connection, not only as the stream
};

// AttributeSource is what an HTTP stream and a TCP connection (host/tcp.h) know of themselves.
class AttributeSource {
 public:
  virtual ~AttributeSource() = default;

  // Attributes (docs/reference/properties.md) except plugin_*, which the host answers itself. `path` has its parts
  // split at NUL. Writes the encoded value: strings raw, integers and doubles 8 bytes little-endian, bool 1 byte, maps
  // in the pairs form. kNotFound when absent, kSerializationFailure for the root of a group.
  virtual abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) = 0;
  // Stores filter state "wasm.<raw path>"; `traits` count when it is new. kBadArgument: it is there and read-only.
  // kInternalFailure: the stream's properties are more than guest_limits.h allows.
  virtual abi::Status set_property(std::string_view path, std::string_view value, const PropertyTraits& traits) = 0;
  // Stores one of the filter state objects that the proxy itself acts on (foreign function set_envoy_filter_state).
  // kNotFound: no such object here; kBadArgument: it does not take that value.
  virtual abi::Status set_proxy_state(std::string_view /*key*/, std::string_view /*value*/) {
    return abi::Status::kNotFound;
  }
};

// HttpStream is one request and its response as the embedder holds it.
//
// Lifetime: the embedder keeps the stream alive until HttpContext::destroy() (host/host.h); after that the host never
// touches it. What it hands out is used before the call that asked for it returns. All calls may come from inside a
// guest's callback, but those that act on the stream (continue_stream, send_local_reply, reset) come when the guest has
// returned, before the callback's function in HttpContext does. They may end the stream there and then, and destroy()
// the context.
class HttpStream : public AttributeSource {
 public:
  // The map, or nullptr while it does not exist or (for `writable`) may not be changed any more. Only the four types of
  // an HTTP stream are asked for. Asking for trailers to write in the body callback that has end_of_stream creates
  // them. Edits go straight into the map. As in Envoy, a map is there from the callback that brings it until the
  // direction goes on, and again while the stream is logged.
  virtual http::HeaderMap* headers(abi::MapType type, bool writable) = 0;
  // The body that a body callback sees (kHttpRequestBody, kHttpResponseBody), to read and to change, and what is held
  // back while the direction is paused from such a callback. nullptr otherwise.
  virtual Buffer* body(abi::BufferType type) = 0;

  // Lets a direction go on that a callback has stopped. Nothing happens if it does not wait.
  virtual void continue_stream(Direction direction) = 0;
  // Answers at once. When response headers went out before, the stream is reset instead. It may come again for a stream
  // that is answered: the first answer counts.
  virtual void send_local_reply(LocalReply reply) = 0;
  // Resets the stream, for which the guest has asked; `details` is for logs.
  virtual void reset(std::string_view details) = 0;
  // The content-length of the direction's headers, whether the guest may see them now or not; for a warning only.
  virtual std::optional<std::string> content_length(Direction /*direction*/) { return std::nullopt; }
  // Whether the response's headers have come to this filter. (Only hazards depend on it.)
  virtual bool response_begun() const { return true; }
  // The guest has changed what the route depends on, and asks for it to be chosen anew.
  virtual void clear_route_cache() = 0;
};

// HttpCallRequest is a call-out (proxy_http_call). Pseudo-headers :method, :path, :authority are present; any other
// field may be one that cannot be sent (http/header_fault.h), for which Envoy answers with 503.
struct HttpCallRequest {
  std::string cluster;
  http::HeaderMap headers;
  std::string body;
  http::HeaderMap trailers;
  Nanoseconds timeout{0};  // 0: none
};

// HttpCallResponse is an answer, or a failure that looks like one (503, 504: docs/reference/abi.md), or a reset.
struct HttpCallResponse {
  bool reset = false;  // no headers, no body: the guest gets 0 headers, and 11 from proxy_get_status
  http::HeaderMap headers;
  Buffer body;
  http::HeaderMap trailers;
};

// HttpCallHandler gets the answer to a call, whatever becomes of it: exactly once, on the worker's thread, never from
// inside start_http_call; and not at all if the call is cancelled. The host implements it.
class HttpCallHandler {
 public:
  virtual ~HttpCallHandler() = default;
  virtual void on_http_call_response(uint64_t call_id, HttpCallResponse response) = 0;
};

// CallStreamRequest is a call-out whose request and answer are passed on as they come: what a guest's gRPC calls and
// streams are made of (host/grpc_calls.h).
struct CallStreamRequest {
  std::string cluster;
  http::HeaderMap headers;  // as an HttpCallRequest's
  Nanoseconds timeout{0};   // until the whole answer is there; 0: none
};

// CallStreamHandler hears what comes of it, on the worker's thread and never from inside a call of Upstreams: headers,
// data and trailers as of any answer, and no more after what has `end_stream`, trailers, or a reset; nothing at all
// after it was cancelled. Failures before the headers look like an answer (HttpCallResponse), in gRPC's form if the
// request is gRPC's. `details` are Envoy's response code details. It may cancel inside of any call, and take what the
// maps and the buffer hold.
class CallStreamHandler {
 public:
  virtual ~CallStreamHandler() = default;
  virtual void on_call_stream_headers(uint64_t stream_id, http::HeaderMap& headers, bool end_stream,
                                      std::string_view details) = 0;
  virtual void on_call_stream_data(uint64_t stream_id, Buffer& data, bool end_stream) = 0;
  virtual void on_call_stream_trailers(uint64_t stream_id, http::HeaderMap& trailers) = 0;
  virtual void on_call_stream_reset(uint64_t stream_id, std::string_view details) = 0;
};

// Upstreams sends call-outs.
class Upstreams {
 public:
  virtual ~Upstreams() = default;
  // Whether there is a cluster of that name.
  virtual bool has_cluster(std::string_view /*name*/) { return false; }
  // Starts a call; `handler` lives until it has the answer or the call is cancelled. Success is a call id that is
  // unique on this worker. Errors, which the guest sees as a status: kNotFound (no such cluster: kBadArgument); any
  // other, as kUnavailable for no healthy host, is kInternalFailure, and no answer follows.
  virtual Result<uint64_t> start_http_call(HttpCallRequest request, HttpCallHandler& handler) = 0;
  // Gives a call up, whose handler is not called any more. Nothing happens if it has been answered.
  virtual void cancel_http_call(uint64_t call_id) = 0;

  // Sends the head of a stream; the same errors, and kUnsupported where there are none. `handler` lives until the end.
  virtual Result<uint64_t> start_call_stream(CallStreamRequest /*request*/, CallStreamHandler& /*handler*/) {
    return Error{ErrorCode::kUnsupported, "streams of call-outs", ""};
  }
  // Takes all of `data`; with `end_stream` the request is whole. Nothing happens if the stream has ended, or is whole
  // already. False: too much waits for the upstream to take it, and `data` is dropped.
  virtual bool send_to_call_stream(uint64_t /*stream_id*/, Buffer& /*data*/, bool /*end_stream*/) { return true; }
  // Gives it up: resets it, and nothing more comes. Nothing happens if it has ended.
  virtual void cancel_call_stream(uint64_t /*stream_id*/) {}
};

// Timer calls its function once after each arm(), from the event loop. Destroying it disarms it.
class Timer {
 public:
  virtual ~Timer() = default;
  // Fires after that time, once; one that is armed already begins anew.
  virtual void arm(std::chrono::milliseconds after) = 0;
  virtual void disarm() = 0;
};

// WorkerServices is what a worker thread offers to the guests that run on it. It outlives the Worker (host/host.h).
class WorkerServices {
 public:
  virtual ~WorkerServices() = default;
  virtual Upstreams& upstreams() = 0;
  // A timer that is not armed. `on_fire` may arm and disarm it.
  virtual std::unique_ptr<Timer> create_timer(std::function<void()> on_fire) = 0;
  // Runs `task` on this worker's thread, from the event loop and so never inside of a guest's callback. The one
  // function here that any thread may call. A task that never runs, because the loop has ended, is destroyed.
  virtual void post(std::function<void()> task) = 0;
  // Called when the worker ends, and its event loop runs no more: sends what calls have ready on connections that are
  // open already. Answers are not waited for.
  virtual void flush_calls() {}
  // Root context attributes (xds.node and so on); the same encoding and errors as AttributeSource::get_property.
  virtual abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) = 0;
};

// Clock: nanoseconds. Any thread; outlives the Host.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t system_time() const = 0;     // since the Unix epoch; may be set back
  virtual int64_t monotonic_time() const = 0;  // since some start; never goes back
};

// Log takes the host's lines and the guests'. Any thread; outlives the Host. The component of all of them is "wasm".
class Log {
 public:
  virtual ~Log() = default;
  // The lowest level that is logged. A guest's lines below it do not come to write(); the host's own may, and are
  // dropped there. Guests get it from proxy_get_log_level.
  virtual abi::LogLevel level(std::string_view component) const = 0;
  // One line, without a line end at its end; a guest's may have any bytes in it, line ends too.
  virtual void write(abi::LogLevel level, std::string_view component, std::string_view message) = 0;
};

}  // namespace inlay::host
