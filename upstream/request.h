// SPDX-License-Identifier: Apache-2.0
#pragma once

// UpstreamRequest: one request on its way to a host, and its response on the way back. The router has one in each of
// its stream objects and uses it again and again; a call-out has one of its own.
//
//     ConnectionPool* host = cluster.choose_host();         // nullptr: no healthy host
//     request.start(*host, headers, end_stream);            // then send_data(), send_trailers()
//     ... handler: on_upstream_headers, on_upstream_data*, on_upstream_trailers?   or on_upstream_reset
//
// Loop thread only.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "config/model.h"
#include "http/header_map.h"
#include "net/connection.h"

namespace inlay::upstream {

class ClientStream;
class ConnectionPool;

// ResetReason says why there is no (more) response. Envoy's words: to_string().
enum class ResetReason : uint8_t {
  kConnectFailure,  // refused, unreachable
  kConnectTimeout,
  kConnectionTermination,  // the peer closed before the response was whole
  kLocalReset,
  kRemoteReset,    // the peer has reset the stream of HTTP/2, or
  kRemoteRefused,  // refused it: it has done nothing with the request
  kOverflow,       // a circuit breaker is open
  kProtocolError,  // what came is not HTTP
  kUnsendable,     // there is no way to send the head, and `detail` is its request_fault()
};
// "remote connection failure", "connection timeout", "connection termination", "local reset", "remote reset",
// "remote refused stream reset", "overflow", "protocol error", "unsendable".
std::string_view to_string(ResetReason reason);

// What keeps a request's head from being sent, since a filter has taken a field from it or given it one: "missing
// required header: :path", "invalid header value for: x". Empty: nothing.
std::string request_fault(const http::HeaderMap& headers);

// UpstreamHandler hears what happens to an UpstreamRequest. It may cancel the request inside of any call.
class UpstreamHandler {
 public:
  virtual ~UpstreamHandler() = default;
  // Where the response's head and trailers go.
  virtual http::HeaderMap& response_headers_storage() = 0;
  virtual http::HeaderMap& response_trailers_storage() = 0;
  // The request has a connection; its head goes out now.
  virtual void on_upstream_connection(const net::Connection& /*connection*/) {}
  // An interim (1xx) head is in response_headers_storage(), for this call only; the answer's own is still to come.
  virtual void on_upstream_informational() {}
  virtual void on_upstream_headers(bool end_stream) = 0;
  virtual void on_upstream_data(Buffer& data, bool end_stream) = 0;
  virtual void on_upstream_trailers() = 0;
  // The end, without a response or in the middle of one. `detail` is the transport's words, may be empty. May come
  // from inside of start(), send_data() and send_trailers().
  virtual void on_upstream_reset(ResetReason reason, std::string_view detail) = 0;
  // Upstream cannot take more of the request for now, or can again. Strictly alternating, above first.
  virtual void on_upstream_above_watermark() {}
  virtual void on_upstream_below_watermark() {}
};

class UpstreamRequest {
 public:
  explicit UpstreamRequest(UpstreamHandler& handler) : handler_(handler) {}
  ~UpstreamRequest() { cancel(); }
  UpstreamRequest(const UpstreamRequest&) = delete;
  UpstreamRequest& operator=(const UpstreamRequest&) = delete;

  // kUpgrade, kConnect: the request asks for an upgrade (http/upgrade.h) or for a tunnel, and may have it. What is sent
  // behind its head waits until the upstream agrees, with 101 or 2xx, which on_upstream_headers() tells; from then on
  // bytes go both ways as they are.
  enum class Kind : uint8_t { kMessage, kUpgrade, kConnect };
  enum class Started : uint8_t { kYes, kOverflow };
  // Sends the head as soon as there is a connection. `headers` must live until the request ends: they are sent later
  // when no connection is free, and again when a kept-alive connection turns out to be dead. What filters still change
  // until then is sent, too, if it can be.
  Started start(ConnectionPool& pool, http::HeaderMap& headers, bool end_stream, Kind kind = Kind::kMessage);
  // Takes all of `data`.
  void send_data(Buffer& data, bool end_stream);
  void send_trailers(const http::HeaderMap& trailers);

  // Stops and resumes the response (downstream back-pressure).
  void pause_response();
  void resume_response();

  // Ends it without a callback; a connection of HTTP/1 is closed unless the response is complete, a stream of HTTP/2
  // is reset. Harmless when nothing runs.
  void cancel();

  // From start() until the response is complete, reset, or cancelled.
  bool active() const { return pool_ != nullptr; }
  bool connected() const { return stream_ != nullptr; }

 private:
  friend class ConnectionPool;
  friend class Http1Connection;
  friend class Http2Connection;

  // Sends what came before the connection did.
  void send_queued();
  // The upstream has agreed: sends what came before that.
  void switch_protocols();
  void update_watermark();
  // Unlinks the request, then tells the handler.
  void finish_reset(ResetReason reason, std::string_view detail);
  void detach();
  bool may_replay() const { return request_complete_ && !had_body_ && safe_method_ && !replayed_; }

  UpstreamHandler& handler_;
  ConnectionPool* pool_ = nullptr;
  ClientStream* stream_ = nullptr;
  http::HeaderMap* headers_ = nullptr;
  Buffer queued_;  // body that came before the connection, or before the upgrade was agreed to
  http::HeaderMap queued_trailers_;
  bool request_complete_ = false;
  bool had_body_ = false;
  bool has_trailers_ = false;
  bool safe_method_ = false;
  bool replayed_ = false;
  bool above_ = false;
  bool response_paused_ = false;
  Kind kind_ = Kind::kMessage;
  bool awaits_switch_ = false;

  // The pool's queue of requests that wait for a connection.
  UpstreamRequest* next_ = nullptr;
  UpstreamRequest* previous_ = nullptr;
  bool queued_in_pool_ = false;
};

}  // namespace inlay::upstream
