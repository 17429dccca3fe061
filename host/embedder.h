// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an embedder (the proxy, the testkit, another proxy) implements so that guests run in it. host/ never sees a
// socket, a codec or YAML. Everything here is used on the worker thread that it belongs to, unless it says otherwise.

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

// LocalReply is an answer made by the proxy itself (proxy_send_local_response).
struct LocalReply {
  uint32_t status = 500;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // appended
  std::optional<uint32_t> grpc_status;                       // only 0..16
  std::string details;                                       // response code details, white space already replaced
};

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
  // in the pairs form. kNotFound when absent, kSerializationFailure for a root that is no value.
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
// Lifetime: the embedder keeps the stream alive until HttpContext::destroy() (host/host.h); after that the
// host never touches it. All calls may come from inside a guest's callback.
class HttpStream : public AttributeSource {
 public:
  // The map, or nullptr while it does not exist or (for `writable`) may not be changed any more. Asking for trailers
  // to write in the body callback that has end_of_stream creates them. Edits go straight into the map.
  virtual http::HeaderMap* headers(abi::MapType type, bool writable) = 0;
  // The body that a body callback sees (kHttpRequestBody, kHttpResponseBody), nullptr outside of body callbacks and
  // when nothing is buffered.
  virtual Buffer* body(abi::BufferType type) = 0;

  // Goes on after a Stop status. The host calls this after the guest has returned, never inside of a callback.
  virtual void continue_stream(Direction direction) = 0;
  // Answers at once. The host calls this after the guest has returned. When response headers went out before, the
  // stream is reset instead.
  virtual void send_local_reply(LocalReply reply) = 0;
  // Resets the stream; `details` is for logs.
  virtual void reset(std::string_view details) = 0;
  // The content-length of the direction's headers, whether the guest may see them now or not; for a warning only.
  virtual std::optional<std::string> content_length(Direction /*direction*/) { return std::nullopt; }
  // Whether the response's headers have come to this filter. (Only hazards depend on it.)
  virtual bool response_begun() const { return true; }
  // The guest asked for clear_route_cache.
  virtual void clear_route_cache() = 0;
};

// HttpCallRequest is a call-out (proxy_http_call). Pseudo-headers :method, :path, :authority are present.
struct HttpCallRequest {
  std::string cluster;
  http::HeaderMap headers;
  std::string body;
  http::HeaderMap trailers;
  Nanoseconds timeout{0};  // 0: none
};

// HttpCallResponse is an answer, or a failure that looks like one (503, 504: docs/reference/abi.md), or a reset.
struct HttpCallResponse {
  bool reset = false;  // no headers, no body: proxy_get_status says 11
  http::HeaderMap headers;
  Buffer body;
  http::HeaderMap trailers;
};

// HttpCallHandler gets the answer, exactly once, never from inside start_http_call, unless the call is cancelled.
class HttpCallHandler {
 public:
  virtual ~HttpCallHandler() = default;
  virtual void on_http_call_response(uint64_t call_id, HttpCallResponse response) = 0;
};

// Upstreams sends call-outs.
class Upstreams {
 public:
  virtual ~Upstreams() = default;
  // Errors: kNotFound (no such cluster), kUnavailable (could not be sent at once, for example no healthy host).
  // Success is a call id that is unique on this worker.
  virtual Result<uint64_t> start_http_call(HttpCallRequest request, HttpCallHandler& handler) = 0;
  virtual void cancel_http_call(uint64_t call_id) = 0;
};

// Timer fires once after each arm(). Destroying it disarms it.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void arm(std::chrono::milliseconds after) = 0;
  virtual void disarm() = 0;
};

// WorkerServices is what a worker thread offers.
class WorkerServices {
 public:
  virtual ~WorkerServices() = default;
  virtual Upstreams& upstreams() = 0;
  virtual std::unique_ptr<Timer> create_timer(std::function<void()> on_fire) = 0;
  // Runs `task` on this worker's thread, soon. The one function here that any thread may call.
  virtual void post(std::function<void()> task) = 0;
  // The worker ends, and its event loop runs no more: sends what calls have ready on connections that stand. Their
  // answers are not waited for.
  virtual void flush_calls() {}
  // Root context attributes (xds.node and so on); the same encoding as AttributeSource::get_property.
  virtual abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) = 0;
};

// Clock: nanoseconds. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t system_time() const = 0;     // since the Unix epoch
  virtual int64_t monotonic_time() const = 0;  // since some start
};

// Log: any thread. Components: "wasm" for guests' lines and all that concerns them.
class Log {
 public:
  virtual ~Log() = default;
  virtual abi::LogLevel level(std::string_view component) const = 0;
  virtual void write(abi::LogLevel level, std::string_view component, std::string_view message) = 0;
};

}  // namespace inlay::host
