// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a filter of the HTTP filter chain is, and what the chain offers it. Modelled on Envoy's stream filters
// (envoy/http/filter.h), with the ABI's own status numbers, so that a Wasm guest's answer needs no translation.
//
// Life: a stream object and its filters are made once and used again for later requests (no allocation per request):
// start() -> decode_* and encode_* -> on_log() -> on_destroy(), then start() again for another request.
// Requests go through filters in order, responses in reverse. The last filter is the router. All of it is on the
// worker's thread.
//
//     // Answers requests for one path itself.
//     class Ping final : public StreamFilter {
//      public:
//       bool start(FilterCallbacks& callbacks) override {
//         callbacks_ = &callbacks;
//         return true;
//       }
//       HeadersStatus decode_headers(HeaderMap& headers, bool) override {
//         if (headers.get(http::HeaderId::kPath) != "/ping") return HeadersStatus::kContinue;
//         callbacks_->send_local_reply({.status = 200, .body = "pong"});
//         return HeadersStatus::kStopIteration;
//       }
//       void on_destroy() override { callbacks_ = nullptr; }
//
//      private:
//       FilterCallbacks* callbacks_ = nullptr;
//     };

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "abi/types.h"
#include "base/buffer.h"
#include "config/model.h"
#include "host/embedder.h"
#include "http/header_map.h"
#include "net/connection.h"
#include "net/event_loop.h"

namespace inlay::proxy::router {
struct RouteEntry;
}

namespace inlay::proxy::downstream {

using abi::DataStatus;
using abi::HeadersStatus;
using abi::TrailersStatus;
using http::HeaderMap;

// Envoy's response flags, with Envoy's bits (property response.flags); access logs print their short names.
enum ResponseFlag : uint32_t {
  kNoHealthyUpstream = 1u << 1,                 // UH
  kUpstreamRequestTimeout = 1u << 2,            // UT
  kLocalReset = 1u << 3,                        // LR
  kUpstreamRemoteReset = 1u << 4,               // UR
  kUpstreamConnectionFailure = 1u << 5,         // UF
  kUpstreamConnectionTermination = 1u << 6,     // UC
  kUpstreamOverflow = 1u << 7,                  // UO
  kNoRouteFound = 1u << 8,                      // NR
  kDownstreamConnectionTermination = 1u << 14,  // DC
  kUpstreamRetryLimitExceeded = 1u << 15,       // URX
  kStreamIdleTimeout = 1u << 16,                // SI
  kDownstreamProtocolError = 1u << 18,          // DPE
  kDurationTimeout = 1u << 22,                  // DT
  kUpstreamProtocolError = 1u << 23,            // UPE
  kNoClusterFound = 1u << 24,                   // NC
};

// FilterState: a value that a guest has stored with the stream (proxy_set_property).
struct FilterState {
  std::string name;  // "wasm.<path>"
  std::string value;
  bool read_only = false;
  bool of_connection = false;  // goes on to the connection's next stream
  bool of_below = false;       // a network filter has stored it: what a request changes is changed there, too
};

// Upgrade: what becomes of a request for an upgrade (http/upgrade.h), or of a CONNECT. The codec says that it is one;
// the router says, as the stream begins, whether its route lets it through, or nothing where there is no route.
enum class Upgrade : uint8_t { kNone, kAsked, kAccepted, kRefused };

// StreamInfo: facts about one stream, for properties, logs and statistics. Times are nanoseconds, monotonic but for
// start_system, which counts from 1970. Sizes are bytes. The chain owns it and what its pointers show, until
// on_destroy().
struct StreamInfo {
  int64_t start_monotonic = 0;
  int64_t start_system = 0;
  uint64_t stream_id = 0;
  uint64_t connection_id = 0;
  uint64_t bytes_received = 0;  // body
  uint64_t bytes_sent = 0;      // body
  uint64_t request_headers_bytes = 0;
  uint64_t response_headers_bytes = 0;
  uint32_t response_code = 0;
  uint32_t response_flags = 0;
  std::string response_code_details;  // may be empty in a local reply
  bool local_reply = false;
  const Address* downstream_local = nullptr;
  // The client: whom x-forwarded-for names, with port 0, where the configuration has it so, else the connection's peer.
  const Address* downstream_remote = nullptr;
  const Address* downstream_direct_remote = nullptr;  // the connection's peer
  Address forwarded_remote;                           // what the first of them points to in the first case
  const net::TlsInfo* downstream_tls = nullptr;       // nullptr: no TLS
  std::string downstream_transport_failure;           // why there was no handshake
  std::string protocol = "HTTP/1.1";
  Upgrade upgrade = Upgrade::kNone;
  const router::RouteEntry* route = nullptr;  // once the router has chosen
  // What the route stays, if any, since a filter has changed headers that are of no matter for it.
  std::optional<const router::RouteEntry*> kept_route;
  // What the route was, if any, before a filter changed the request's headers.
  std::optional<const router::RouteEntry*> early_route;
  std::string upstream_cluster;
  Address upstream_host;                             // empty host until one is chosen
  Address upstream_local;                            // empty host until connected, and of a connection to a pipe
  std::shared_ptr<const net::TlsInfo> upstream_tls;  // null: no TLS, or not connected
  std::string upstream_transport_failure;            // why the last connection to a host failed
  uint32_t upstream_request_attempts = 0;
  // 0: not yet. When the router asked for a connection, when it had one and sent the request, when the answer's first
  // and last byte came.
  int64_t upstream_asked_monotonic = 0;
  int64_t upstream_connected_monotonic = 0;
  int64_t upstream_first_byte_monotonic = 0;
  int64_t upstream_last_byte_monotonic = 0;
  config::Metadata dynamic_metadata;  // what native filters have found out, for guests to read
  std::vector<FilterState> filter_state;
  std::vector<FilterState>* state_below = nullptr;  // what network filters have stored; null without such filters
  // Makes it what it is before a stream begins.
  void reset();
  // Removes from filter_state what lives as long as the connection, and returns it, for the connection's next stream.
  std::vector<FilterState> take_connection_state();
};

// StreamTimeouts: what a route says in the place of its connection manager; nullopt is the manager's own.
struct StreamTimeouts {
  static constexpr std::chrono::milliseconds kNone = std::chrono::milliseconds::max();
  std::optional<std::chrono::milliseconds> idle;      // stream_idle_timeout; above 0, or kNone
  std::optional<std::chrono::milliseconds> duration;  // max_stream_duration, since the stream's begin; or kNone
};

// FilterCallbacks: what the chain does for a filter. Each filter has its own, so that the chain knows where to go on.
class FilterCallbacks {
 public:
  virtual ~FilterCallbacks() = default;
  virtual net::EventLoop& loop() = 0;
  virtual StreamInfo& info() = 0;
  virtual const config::Listener& listener() = 0;

  // The maps, nullptr as long as they do not exist. Requests' maps live to on_destroy().
  virtual HeaderMap* request_headers() = 0;
  virtual HeaderMap* request_trailers() = 0;
  virtual HeaderMap* response_headers() = 0;
  virtual HeaderMap* response_trailers() = 0;
  // In a data callback with end_stream: makes empty trailers, which then follow.
  virtual HeaderMap* add_request_trailers() = 0;
  virtual HeaderMap* add_response_trailers() = 0;
  // What is buffered on behalf of stopped filters; nullptr when nothing is.
  virtual Buffer* buffered_request_body() = 0;
  virtual Buffer* buffered_response_body() = 0;

  // Goes on after this filter had stopped; nothing happens if it has not. Safe in any callback; what it sets off
  // happens after the callback returns.
  virtual void continue_decoding() = 0;
  virtual void continue_encoding() = 0;
  // Answers locally; the answer passes the encoder filters. Ends the stream when headers went out already.
  virtual void send_local_reply(host::LocalReply reply) = 0;
  // Ends the stream without an answer; `details` is for the access log.
  virtual void reset_stream(std::string_view details) = 0;
  // Whether the response's head has passed the filters: no local reply can take its place any more.
  virtual bool response_sent() = 0;

  // For the router: the response as it comes from upstream. `headers` is filled in place: response_storage() first.
  virtual HeaderMap& response_storage() = 0;
  virtual HeaderMap& response_trailers_storage() = 0;
  virtual void encode_headers(bool end_stream) = 0;
  virtual void encode_data(Buffer& data, bool end_stream) = 0;
  virtual void encode_trailers() = 0;
  // In the callback of the response's trailers: data that goes on before them.
  virtual void add_response_data(Buffer& data) = 0;
  // An interim (1xx) head from upstream, which the codec may change; most clients are not told (proxy_100_continue).
  virtual void encode_informational(HeaderMap& headers) = 0;
  // Flow control. The router pauses the request while upstream cannot take more (calls nest); it is told to pause and
  // go on with the response by StreamFilter::on_above_write_watermark and on_below_write_watermark.
  virtual void pause_request() = 0;
  virtual void resume_request() = 0;
  // For the router: what its route says of the stream's timeouts, from now on.
  virtual void set_timeouts(const StreamTimeouts& timeouts) = 0;
  // How much of a body may be held back, in bytes; 0: any. FilterChain::set_buffer_limit.
  virtual uint32_t buffer_limit() = 0;
};

// StreamFilter is one filter of one stream. What a callback returns has Envoy's meaning (sdk/context.h has a table).
class StreamFilter {
 public:
  virtual ~StreamFilter() = default;
  // A new stream begins; `callbacks` is valid until on_destroy(). False: this filter takes no part in this stream, and
  // no other call follows.
  virtual bool start(FilterCallbacks& callbacks) = 0;

  // A piece of the request, or of the response, to read and to change. The map or buffer is valid until the piece goes
  // on; `end_stream`: nothing follows.
  virtual HeadersStatus decode_headers(HeaderMap&, bool /*end_stream*/) { return HeadersStatus::kContinue; }
  virtual DataStatus decode_data(Buffer&, bool /*end_stream*/) { return DataStatus::kContinue; }
  virtual TrailersStatus decode_trailers(HeaderMap&) { return TrailersStatus::kContinue; }
  virtual HeadersStatus encode_headers(HeaderMap&, bool /*end_stream*/) { return HeadersStatus::kContinue; }
  virtual DataStatus encode_data(Buffer&, bool /*end_stream*/) { return DataStatus::kContinue; }
  virtual TrailersStatus encode_trailers(HeaderMap&) { return TrailersStatus::kContinue; }

  // A local reply is made, of any filter: what is added now comes before the reply's own fields.
  virtual void begin_local_reply(HeaderMap&) {}

  // The downstream connection has more bytes to send than its limit, or again less than half of it: whoever produces
  // the response pauses and goes on (response back-pressure).
  virtual void on_above_write_watermark() {}
  virtual void on_below_write_watermark() {}

  // The stream is complete: the access log's time. Maps can be read, nothing can be changed.
  virtual void on_log() {}
  // The stream is over; forget it, cancel what is under way. Called exactly once for each start() that said true.
  virtual void on_destroy() = 0;
};

// FilterFactory makes a worker's filters: there is one for each configured filter on each worker. It outlives them.
class FilterFactory {
 public:
  virtual ~FilterFactory() = default;
  virtual std::unique_ptr<StreamFilter> create() = 0;
  // The filter's `name` in http_filters.
  virtual std::string_view name() const = 0;
};

}  // namespace inlay::proxy::downstream
