// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServerConnection: one client's HTTP/1.1 connection. It parses requests one after another, runs each through a chain,
// and writes the responses. A request that comes while another is answered waits in the socket. Inside of http/.

#include <memory>
#include <optional>
#include <string_view>

#include "http/http1_parser.h"
#include "net/connection.h"
#include "proxy/downstream/connection_manager_impl.h"
#include "proxy/downstream/filter_chain.h"

namespace inlay::proxy::downstream {

class ServerConnection final : net::ConnectionHandler, http::ParserSink, ResponseSink {
 public:
  enum class Timeout : uint8_t { kIdle, kRequest, kDuration };

  ServerConnection(ConnectionManager::Impl& manager, std::unique_ptr<net::Connection> connection, size_t index,
                   std::vector<FilterState>* below);
  ~ServerConnection() override;

  size_t index() const { return index_; }  // in the manager's list
  void set_index(size_t index) { index_ = index; }

  // Closes after the response that is under way, or now.
  void drain();
  // Resets the stream and closes.
  void abort(std::string_view details);
  void on_stream_timeout(Timeout timeout);

 private:
  // net::ConnectionHandler
  void on_data(Buffer& data, bool end) override;
  void on_peer_closing() override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  // ParserSink
  HeaderMap& headers_storage() override;
  HeaderMap& trailers_storage() override;
  void on_headers(bool end_stream) override;
  void on_informational(uint32_t) override {}
  void on_data(Buffer& data) override;
  void on_trailers() override;
  void on_message_complete() override;

  // ResponseSink
  void encode_informational(HeaderMap& headers) override;
  void encode_headers(HeaderMap& headers, bool end_stream) override;
  void encode_data(Buffer& data, bool end_stream) override;
  void encode_trailers(HeaderMap& trailers) override;
  void pause_request(bool paused) override;
  void on_reset() override;
  void on_finished() override;

  void parse_all(Buffer& data);
  size_t write_limit() const;
  void wait_for_reader();
  void flush_body();
  void request_complete();
  void inherit_state(StreamInfo& info);
  void on_client_end();
  void on_codec_error(http::ParseError error);
  void on_connection_timeout();
  http::BodyFraming choose_framing(const HeaderMap& headers, bool end_stream);
  bool is_head() const;
  // Whether the response is to have the length that its content-length says.
  bool checks_length() const;
  void correct_length(HeaderMap& headers, bool end_stream) const;
  bool must_close() const;
  void response_complete();
  void touch();
  void disconnect(std::string_view details, uint32_t flag);
  void close(net::Connection::Close how);
  void arm_idle();

  ConnectionManager::Impl& manager_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<http::Http1Parser> parser_;
  std::unique_ptr<ServerStream> stream_;
  net::Timer timer_;  // idle_timeout between requests, request_headers_timeout inside of a head
  std::unique_ptr<net::Timer> duration_timer_;  // max_connection_duration
  Buffer body_;                                 // what one read brought of the request's body
  Buffer out_;
  size_t index_;
  uint32_t requests_ = 0;
  uint64_t length_left_ = 0;  // of a response with content-length
  http::BodyFraming framing_ = http::BodyFraming::kNone;
  bool closed_ = false;
  bool close_after_response_ = false;
  bool waiting_ = false;  // a pipelined request waits; reading is paused
  bool above_watermark_ = false;
  bool request_paused_ = false;
  bool headers_complete_ = false;
  bool request_complete_ = false;
  bool has_trailers_ = false;
  bool response_started_ = false;
  bool informed_ = false;                  // an interim response was passed on
  std::vector<FilterState> state_;         // what guests keep with the connection, between its streams
  std::vector<FilterState>* const below_;  // what network filters do; may be null
};

}  // namespace inlay::proxy::downstream
