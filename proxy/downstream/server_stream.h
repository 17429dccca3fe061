// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServerStream: a request and its response on a client's connection, of either protocol: the filter chain and the
// stream's timers. Made once, and used again and again by whichever connection has a request. Inside of downstream/.

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "net/event_loop.h"
#include "proxy/downstream/connection_manager.h"
#include "proxy/downstream/filter_chain.h"
#include "proxy/downstream/http_stats.h"

namespace inlay::proxy::downstream {

// StreamOwner is the codec's side of one stream.
class StreamOwner : public ResponseSink {
 public:
  // One of the stream's timers has fired; the owner says whether the request is complete by then.
  virtual bool request_is_complete() const = 0;
};

// ConnectionState: what guests keep with a client's connection, from one of its streams to the next.
struct ConnectionState {
  std::vector<FilterState> own;
  std::vector<FilterState>* below = nullptr;  // what network filters keep; null without such filters
};

class ServerStream {
 public:
  ServerStream(net::EventLoop& loop, const config::Listener& listener, const std::vector<FilterFactory*>& factories);

  // The first byte of a request has come on `connection`. Arms the timers, but that of the head.
  void begin(ConnectionManager::Impl& manager, StreamOwner& owner, net::Connection& connection,
             const ConnectionState& state);
  // Something has moved, in either direction.
  void touch();
  // FilterCallbacks::set_timeouts.
  void set_timeouts(const StreamTimeouts& timeouts);
  std::chrono::milliseconds idle_timeout() const { return idle_timeout_; }  // 0: none
  // The request is whole.
  void request_complete() { request_.disarm(); }
  // Inside of ResponseSink::on_finished(): logs and counts the stream, takes what guests keep with the connection, and
  // leaves the stream as it is before begin().
  void finish(ConnectionManager::Impl& manager, ConnectionState& state);
  void charge_reset(std::string_view details, uint32_t flag);

  FilterChain chain;

 private:
  enum class Timeout : uint8_t { kIdle, kRequest, kDuration };
  void on_timeout(Timeout timeout);

  ConnectionManager::Impl* manager_ = nullptr;
  StreamOwner* owner_ = nullptr;
  std::chrono::milliseconds idle_timeout_{0};
  net::Timer idle_;
  net::Timer request_;   // request_timeout, until the request is complete
  net::Timer duration_;  // max_stream_duration, of the manager or the route
};

// The status of a response; 500 for one that has none.
uint32_t response_status(const HeaderMap& headers);
// A local reply without headers of its own.
host::LocalReply local_reply(uint32_t status, std::string body, std::string details);

}  // namespace inlay::proxy::downstream
