// SPDX-License-Identifier: Apache-2.0
#pragma once

// Session: HTTP/2 (RFC 9113) between bytes and Streams, for either side; frames, HPACK, flow control and the rules of
// HTTP messages are nghttp2's. It knows no socket: who owns it feeds receive() with what came and sends what write()
// gives, whenever wants_to_write() says that there is something, which any call may bring about. Loop thread only.
//
//     auto session = http2::Session::create(http2::Session::Kind::kClient, settings, sink);
//     session->submit_request(stream, headers, /*end_stream=*/true);
//     session->write(out, 64 * 1024);  // the preface, SETTINGS, and the request
//     connection.write(out);
//     ... session->receive(data);      // calls the stream
//         session->write(out, 64 * 1024);
//         if (!session->failure().empty()) ...  // send what `out` has, then end the connection
//
// Bytes that a paused stream does not take are held, and the peer does not get their window back: it can send no more
// than the stream's window. A stream is called from inside of receive(), deliver_held() and close_all(), and from
// write() if the peer takes no requests any longer; of its watermarks it is told from send_data() and write().

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/buffer.h"
#include "http/header_map.h"
#include "http2/stream.h"

namespace inlay::http2 {

// Settings of this side (config/core/v3 Http2ProtocolOptions); the defaults are Envoy 1.40's.
struct Settings {
  uint32_t header_table_size = 4096;
  // A client: streams that it opens at once, if the peer allows as many. A server: those that it lets the peer open.
  uint32_t max_concurrent_streams = 1024;
  uint32_t stream_window = 16u << 20;      // bytes, at least 65,535
  uint32_t connection_window = 24u << 20;  // bytes, at least 65,535
  size_t max_header_bytes = 60 * 1024;     // of one head or of trailers, names and values
  size_t max_header_count = 100;
  size_t write_watermark = 1u << 20;  // of one stream; see Stream::on_above_write_watermark
  // What a server takes from its client: frames without a payload that end no stream, one after another; PRIORITY
  // frames a stream; WINDOW_UPDATE frames a DATA frame that was sent. The session fails at the next.
  uint32_t max_empty_frames = 1;
  uint32_t max_priority_frames = 100;
  uint32_t max_window_updates = 10;
  bool allow_connect = false;  // a server: CONNECT may name a protocol (RFC 8441)
};

// SessionSink is told what concerns no single stream. It must not destroy the session inside of a call.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  // A server: a request begins. The stream stays the sink's; nullptr refuses it (REFUSED_STREAM).
  virtual Stream* on_stream() { return nullptr; }
  // The peer takes no new streams. Those that it has not seen are reset with kRefusedStream.
  virtual void on_goaway(ErrorCode code) = 0;
  // How many streams may be open has changed.
  virtual void on_settings() {}
  // The answer to ping() has come.
  virtual void on_ping_answer() {}
};

class Session {
 public:
  enum class Kind : uint8_t { kClient, kServer };

  // nullptr when there is no memory. The preface and SETTINGS wait to be written.
  static std::unique_ptr<Session> create(Kind kind, const Settings& settings, SessionSink& sink);
  virtual ~Session() = default;

  // Takes all of `data`. Not from inside of a call of a stream or of the sink.
  virtual void receive(Buffer& data) = 0;
  // Appends frames to `out` until it holds `limit` bytes or more, or nothing is to be sent. Not from inside of a call
  // of a stream or of the sink.
  virtual void write(Buffer& out, size_t limit) = 0;
  virtual bool wants_to_write() const = 0;
  // Why the session cannot go on, for logs, once write() has given the GOAWAY that tells the peer: what came is not
  // HTTP/2, or there is no memory. Empty: it can.
  virtual const std::string& failure() const = 0;
  // Neither side has anything to say any longer: GOAWAY was sent or has come, and no stream is open.
  virtual bool finished() const = 0;

  // A client: streams that can be opened now. What is over the peer's limit at the time is not sent.
  virtual uint32_t streams_left() const = 0;
  virtual size_t open_streams() const = 0;
  // Opens the stream. `headers` is a request's; fields that belong to HTTP/1 alone (RFC 9113, section 8.2.2) are left
  // out. False: no stream can be opened any longer on this connection.
  virtual bool submit_request(Stream& stream, const http::HeaderMap& headers, bool end_stream) = 0;
  // A server's answer; informational: one with 1xx, before that.
  virtual void submit_informational(Stream& stream, const http::HeaderMap& headers) = 0;
  virtual void submit_response(Stream& stream, const http::HeaderMap& headers, bool end_stream) = 0;

  // For both sides, behind the head. Takes all of `data`. Nothing happens on a stream that is not open.
  virtual void send_data(Stream& stream, Buffer& data, bool end_stream) = 0;
  virtual void send_trailers(Stream& stream, const http::HeaderMap& trailers) = 0;
  // While paused the stream gets no call but on_reset(). What came meanwhile is told by the next deliver_held() after
  // resume(): `true` says that there is something.
  virtual void pause(Stream& stream) = 0;
  [[nodiscard]] virtual bool resume(Stream& stream) = 0;
  virtual void deliver_held() = 0;
  // Ends the stream with RST_STREAM, if it is open. It is not called any more.
  virtual void reset(Stream& stream, ErrorCode code) = 0;

  // The same behind the bytes that have been handed over, for an answer that cannot go on: with INTERNAL_ERROR, of
  // which the stream is told.
  virtual void break_off(Stream& stream) = 0;

  virtual void ping() = 0;
  // A server: says that soon no new streams will be taken (GOAWAY that names the last possible one).
  virtual void announce_shut_down() = 0;
  // Says that no new streams are taken (GOAWAY); those that are open go on.
  virtual void shut_down() = 0;
  // The connection is gone: resets all streams, each with on_reset().
  virtual void close_all(ErrorCode code, bool by_peer) = 0;
};

}  // namespace inlay::http2
