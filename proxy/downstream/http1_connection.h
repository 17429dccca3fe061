// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http1Connection: one client's HTTP/1.1 connection. It parses requests one after another, runs each through a chain,
// and writes the responses. A request that comes while another is answered waits in the socket. Where the listener
// leaves the protocol open and the first bytes are HTTP/2's, it gives its place to an Http2Connection. Inside of
// downstream/.

#include <memory>
#include <optional>
#include <string_view>

#include "http/http1_parser.h"
#include "http/http1_writer.h"
#include "net/connection.h"
#include "proxy/downstream/connection_manager_impl.h"
#include "proxy/downstream/server_connection.h"
#include "proxy/downstream/server_stream.h"

namespace inlay::proxy::downstream {

class Http1Connection final : public ServerConnection, net::ConnectionHandler, http::ParserSink, StreamOwner {
 public:
  Http1Connection(ConnectionManager::Impl& manager, std::unique_ptr<net::Connection> connection, size_t index,
                  std::vector<FilterState>* below);
  ~Http1Connection() override;

  // ServerConnection
  void drain() override;
  void retire() override;
  void abort(std::string_view details) override;

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

  // StreamOwner
  bool request_is_complete() const override { return request_complete_; }
  void encode_informational(HeaderMap& headers) override;
  void encode_headers(HeaderMap& headers, bool end_stream) override;
  void encode_data(Buffer& data, bool end_stream) override;
  void encode_trailers(HeaderMap& trailers) override;
  void pause_request(bool paused) override;
  void on_upgrade(bool accepted) override;
  void set_timeouts(const StreamTimeouts& timeouts) override {
    if (stream_) stream_->set_timeouts(timeouts);
  }
  void on_reset() override;
  void on_finished() override;

  // Whether the first bytes of a connection are HTTP/2's, which then has the connection.
  bool is_http2(const Buffer& data) const;
  void parse_all(Buffer& data);
  size_t write_limit() const;
  void wait_for_reader();
  void flush_body();
  void request_complete();
  void on_client_end();
  void on_codec_error(http::ParseError error);
  void on_connection_timeout();
  http::BodyFraming choose_framing(const HeaderMap& headers, bool end_stream);
  bool is_head() const;
  bool is_connect() const;
  // Whether the response is to have the length that its content-length says.
  bool checks_length() const;
  void correct_length(HeaderMap& headers, bool end_stream) const;
  bool must_close() const;
  bool announces_close(const HeaderMap& headers) const;
  bool switches(const HeaderMap& headers, bool end_stream) const;
  void response_complete();
  HttpVersion version() const { return parser_->minor_version() == 0 ? HttpVersion::k10 : HttpVersion::k11; }
  void touch() { stream_->touch(); }
  void disconnect(std::string_view details, uint32_t flag);
  void close(net::Connection::Close how);
  void arm_idle();

  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<http::Http1Parser> parser_;
  std::unique_ptr<ServerStream> stream_;
  net::Timer timer_;  // idle_timeout between requests, request_headers_timeout inside of a head
  Buffer body_;       // what one read brought of the request's body
  Buffer out_;
  uint32_t requests_ = 0;
  uint64_t length_left_ = 0;  // of a response with content-length
  http::BodyFraming framing_ = http::BodyFraming::kNone;
  bool closed_ = false;
  bool undecided_ = true;  // no byte has come
  bool close_after_response_ = false;
  bool waiting_ = false;  // a pipelined request waits; reading is paused
  bool above_watermark_ = false;
  bool request_paused_ = false;
  bool headers_complete_ = false;
  bool request_complete_ = false;
  bool has_trailers_ = false;
  bool response_started_ = false;
  bool informed_ = false;   // an interim response was passed on
  bool upgrading_ = false;  // the request's upgrade was let through
  bool upgraded_ = false;   // and agreed to: bytes go as they come
  ConnectionState state_;
};

}  // namespace inlay::proxy::downstream
