// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http2Connection: one HTTP/2 connection to an upstream host and the requests on it, a stream each. Inside of
// upstream/.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "http2/session.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "upstream/client_connection.h"
#include "upstream/request.h"

namespace inlay::upstream {

class Http2Connection final : public ClientConnection, private net::ConnectionHandler, private http2::SessionSink {
 public:
  Http2Connection(ConnectionPool& pool, net::EventLoop& loop);
  ~Http2Connection() override;

  // ClientConnection
  uint32_t capacity() const override;
  bool busy() const override { return !streams_.empty(); }
  void begin(UpstreamRequest& request) override;
  bool has_news() const override { return connection_->has_news(); }
  void become_idle() override;
  void close() override;
  void abandon() override;

 private:
  class RequestStream;
  // Sends the head; false: no stream can be opened any longer.
  bool submit(RequestStream& stream, const UpstreamRequest& request);
  enum class State : uint8_t { kConnecting, kOpen, kClosed };

  // net::ConnectionHandler
  void on_connected() override;
  void on_data(Buffer& data, bool end) override;
  void on_above_write_watermark() override { above_watermark_ = true; }
  void on_below_write_watermark() override;
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  // http2::SessionSink
  void on_goaway(http2::ErrorCode code) override;
  void on_settings() override;
  void on_ping_answer() override;

  // Sends what the session has to say, and ends the connection when that was all that there will be.
  void flush();
  bool takes_requests() const;
  void stream_is_over(RequestStream& stream);
  void keep_alive();
  // Closes it when no request is on it, and leaves the pool.
  void retire(bool by_peer);
  // Ends the connection and all its requests.
  void fail(ResetReason reason, std::string_view detail, bool by_peer);
  void mark_closed(net::Connection::Close how);

  ConnectionPool& pool_;
  net::EventLoop& loop_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<http2::Session> session_;
  std::vector<std::unique_ptr<RequestStream>> streams_;
  net::Timer idle_timer_;
  net::Timer ping_timer_;  // until the next PING, or for the answer to the last
  net::DeferredTask flush_task_;
  net::DeferredTask held_task_;  // responses that were paused go on
  Buffer out_;
  uint64_t requests_ = 0;
  State state_ = State::kConnecting;
  ResetReason why_ = ResetReason::kConnectionTermination;  // what ends all requests, inside of fail()
  std::string_view why_detail_;
  bool failing_ = false;
  bool goaway_ = false;
  bool above_watermark_ = false;
  bool ping_is_out_ = false;
};

}  // namespace inlay::upstream
