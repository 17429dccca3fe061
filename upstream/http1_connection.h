// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http1Connection: one HTTP/1.1 connection to an upstream host, with at most one request on it at a time. Inside of
// upstream/.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/buffer.h"
#include "http/header_map.h"
#include "http/http1_parser.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "upstream/client_connection.h"
#include "upstream/request.h"

namespace inlay::upstream {

class Http1Connection final : public ClientConnection,
                              private ClientStream,
                              private net::ConnectionHandler,
                              private http::ParserSink {
 public:
  Http1Connection(ConnectionPool& pool, net::EventLoop& loop);
  ~Http1Connection() override;

  // ClientConnection
  uint32_t capacity() const override { return state_ == State::kIdle ? 1 : 0; }
  bool busy() const override { return state_ == State::kBusy; }
  void begin(UpstreamRequest& request) override;
  bool has_news() const override { return connection_->has_news(); }
  void become_idle() override;
  void close() override;
  void abandon() override;

 private:
  enum class State : uint8_t { kConnecting, kIdle, kBusy, kClosed };
  enum class Framing : uint8_t { kNone, kContentLength, kChunked, kUpgraded };

  // ClientStream
  void send_data(Buffer& data, bool end_stream) override;
  void send_trailers(const http::HeaderMap& trailers) override;
  void pause_response() override;
  void resume_response() override;
  bool above_watermark() const override { return above_watermark_; }
  void cancel() override;

  // net::ConnectionHandler
  void on_connected() override;
  void on_data(Buffer& data, bool end) override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  // http::ParserSink
  http::HeaderMap& headers_storage() override;
  http::HeaderMap& trailers_storage() override;
  void on_headers(bool end_stream) override;
  void on_informational(uint32_t status) override;
  void on_data(Buffer& data) override;
  void on_trailers() override;
  void on_message_complete() override {}

  void write_head(UpstreamRequest& request);
  // How the request's body is sent; its length may be corrected.
  Framing choose_framing(const UpstreamRequest& request, http::HeaderMap& headers);
  // Encodes body bytes into out_; false: more than content-length says.
  bool encode_body(Buffer& data, bool end_stream);
  void flush_out();
  void parse(Buffer& data, bool end);
  void deliver_held();
  void complete_response(bool reusable);
  // Ends the connection and its request.
  void fail(ResetReason reason, std::string_view detail, bool by_peer = false);
  void lost(ResetReason reason, std::string_view detail);
  void mark_closed();

  ConnectionPool& pool_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<http::Http1Parser> parser_;
  net::Timer idle_timer_;
  net::Timer resume_timer_;
  net::DeferredTask written_task_;  // waits as long as nothing of a request's head has left
  UpstreamRequest* active_ = nullptr;
  State state_ = State::kConnecting;
  Framing framing_ = Framing::kNone;
  uint64_t body_left_ = 0;  // kContentLength: bytes of the request's body still to come
  uint64_t requests_ = 0;
  bool above_watermark_ = false;
  bool paused_ = false;
  bool peer_ended_ = false;     // FIN came while the response was paused
  bool headers_end_ = false;    // the response is a head only, not yet delivered
  bool trailers_come_ = false;  // trailers parsed, not yet delivered
  Buffer out_;
  Buffer held_;      // what one read brought of the body, not yet delivered
  Buffer leftover_;  // bytes that came with FIN while paused
  http::HeaderMap discard_;
};

}  // namespace inlay::upstream
