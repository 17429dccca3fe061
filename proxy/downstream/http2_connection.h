// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http2Connection: one client's HTTP/2 connection: its session, and a chain for each request on it. Inside of
// downstream/.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "http2/session.h"
#include "net/connection.h"
#include "proxy/downstream/connection_manager_impl.h"
#include "proxy/downstream/server_connection.h"
#include "proxy/downstream/server_stream.h"

namespace inlay::proxy::downstream {

class Http2Connection final : public ServerConnection, net::ConnectionHandler, http2::SessionSink {
 public:
  Http2Connection(ConnectionManager::Impl& manager, std::unique_ptr<net::Connection> connection, size_t index,
                  std::vector<FilterState>* below);
  ~Http2Connection() override;

  // ServerConnection
  void drain() override;
  void abort(std::string_view details) override;

 private:
  class Exchange;
  static constexpr std::string_view kNoMessage = "http2.violation.of.messaging.rule";  // Envoy's details

  // net::ConnectionHandler
  void on_data(Buffer& data, bool end) override;
  void on_above_write_watermark() override { above_watermark_ = true; }
  void on_below_write_watermark() override;
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  // http2::SessionSink
  http2::Stream* on_stream() override;
  void on_goaway(http2::ErrorCode) override { flush_task_.schedule(); }
  void on_ping_answer() override;

  // Sends what the session has to say, and ends the connection when that was all that there will be.
  void flush();
  void exchange_is_over(Exchange& exchange);
  // A client that opens requests and takes them back is served no longer (Envoy's premature resets).
  bool resets_too_much(const Exchange& exchange);
  // What came on a stream is no message of HTTP.
  void refuse_message();
  void arm_timer();
  void on_timeout();
  void ping();
  void finish_drain();
  // Ends all streams: why, and with which flag.
  void disconnect(std::string_view details, uint32_t flag);
  void close(net::Connection::Close how);

  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<http2::Session> session_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  net::Timer timer_;  // idle_timeout without streams, request_headers_timeout inside of a head
  net::Timer ping_timer_;
  net::Timer drain_timer_;  // drain_timeout, where a client does not answer PING
  net::DeferredTask flush_task_;
  net::DeferredTask held_task_;  // requests that were paused go on
  Buffer out_;
  ConnectionState state_;
  uint32_t requests_ = 0;
  uint32_t ended_streams_ = 0;
  uint32_t premature_resets_ = 0;
  Exchange* in_head_ = nullptr;  // whose head is not whole yet
  enum class Drain : uint8_t { kNo, kAnnounced, kAsked, kFinal } drain_ = Drain::kNo;
  bool closed_ = false;
  bool above_watermark_ = false;
  bool ping_is_out_ = false;
};

}  // namespace inlay::proxy::downstream
