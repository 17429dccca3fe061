// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http1Parser: incremental HTTP/1.1 messages (RFC 9112) out of a Buffer, straight into a HeaderMap and a sink. Bodies
// move as blocks, without a copy. One parser serves all messages of a connection, one after another.
//
// Strict, so that no two readers of the same bytes can disagree about where a message ends: lines end with CRLF (those
// of a response's head and trailers may end with LF alone, as Envoy has it), no obs-fold, no white space before a
// colon, one Content-Length of digits, which loses its leading zeros, or one Transfer-Encoding that is exactly
// "chunked", never both. Transfer-Encoding stays in the map, for filters to see; the writers (http/http1_writer.h)
// leave it out.
//
// What follows the head of an upgrade is taken as it is, whatever the head says of a body, as in Envoy: who writes the
// head must not write the bytes before the other side has agreed to them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/buffer.h"
#include "base/result.h"
#include "http/header_map.h"
#include "http/parse_error.h"

namespace inlay::http {

struct ParserLimits {
  size_t max_header_bytes = 60 * 1024;
  size_t max_header_count = 100;
  bool any_method = false;  // allow_custom_methods; else those that Envoy knows
  // Of requests: what follows the head of an upgrade or of CONNECT is another protocol's (upgrades()); else such a head
  // is a request like all others.
  bool upgrades = false;
};

// ParserSink gets a message in order: on_headers, on_data*, on_trailers?, on_message_complete. It must not destroy the
// parser, nor the buffer that is being parsed, inside of a call (it may clear that buffer); it may pause the parser or
// start the next message. What it leaves of `data` is dropped.
class ParserSink {
 public:
  virtual ~ParserSink() = default;
  // Where the next message's headers and trailers go; called when its first byte is parsed.
  virtual HeaderMap& headers_storage() = 0;
  virtual HeaderMap& trailers_storage() = 0;
  // The head is in headers_storage(): pseudo-headers first, names lower-case, `host` made into :authority.
  // end_stream: there is no body. Responses with 1xx come as on_informational: what is in headers_storage() is gone
  // after the call.
  virtual void on_headers(bool end_stream) = 0;
  virtual void on_informational(uint32_t status) = 0;
  virtual void on_data(Buffer& data) = 0;
  virtual void on_trailers() = 0;  // only when there are any
  virtual void on_message_complete() = 0;
};

class Http1Parser {
 public:
  enum class Kind : uint8_t { kRequest, kResponse };
  static std::unique_ptr<Http1Parser> create(Kind kind, ParserLimits limits, ParserSink& sink);
  virtual ~Http1Parser() = default;

  // Parses what it can of `data`, drains it, and calls the sink; stops after a complete message (the caller decides
  // when the next may start: next_message()). `end`: the peer has sent FIN. An error is final.
  virtual Result<Unit, ParseError> parse(Buffer& data, bool end) = 0;
  // For responses: what was asked with (HEAD has no body, whatever the headers say). Before the first byte.
  virtual void set_request_method(std::string_view method) = 0;
  // For responses: that an upgrade was asked for, or with CONNECT a tunnel, so that 101 or 2xx may agree to it. Before
  // the first byte.
  virtual void set_upgrade_asked() = 0;
  virtual void next_message() = 0;
  // While paused parse() keeps off the data (back-pressure inside of a read).
  virtual void set_paused(bool paused) = 0;

  // Valid from on_headers on.
  virtual bool keep_alive() const = 0;  // of this message
  // The message is an upgrade (http/upgrade.h) or CONNECT, or agrees to one: all that follows the head, until the
  // connection ends, is another protocol's, and comes as on_data. The message never completes.
  virtual bool upgrades() const = 0;
  virtual bool expects_100_continue() const = 0;
  virtual uint32_t minor_version() const = 0;  // HTTP/1.<n>
  virtual bool message_started() const = 0;    // a byte of the current message has come
  virtual bool message_complete() const = 0;
};

}  // namespace inlay::http
