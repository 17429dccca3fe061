// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketClient: a client of a case on a socket of its own, which speaks HTTP/1, HTTP/2 (with prior knowledge) or bytes.
// What it gets goes into the transcript.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tester/socket_run.h"

namespace inlay::tester {

class SocketClient {
 public:
  virtual ~SocketClient() = default;

  // As in World.
  virtual void request(const Step& step) = 0;
  virtual void body(std::string_view text, bool end) = 0;
  virtual void trailers(const Fields& fields) = 0;
  virtual void sends(std::string_view bytes, std::string_view method) = 0;
  virtual void half_closes() = 0;
  // HTTP/2: the streams that are open; where none is, and with HTTP/1, the connection.
  virtual void resets() = 0;
  // Ends the connection by an RST, whatever is under way.
  virtual void ends() = 0;
  void reads(bool reads) { reads_ = reads; }

  // Sends what waits and reads what has come; says whether something has.
  virtual bool turn() = 0;
  // The connection is there no longer.
  bool closed() const { return closed_; }
  bool half_closed() const { return half_closed_; }
  // Whether the proxy has read all that was sent, as far as it can be known from here: by HTTP/2.
  virtual bool is_read() const { return true; }

 protected:
  bool reads_ = true;
  bool closed_ = false;
  bool half_closed_ = false;
};

// Connects. `run` outlives it.
std::unique_ptr<SocketClient> make_http1_client(const std::string& name, uint16_t port, SocketRun& run);
std::unique_ptr<SocketClient> make_http2_client(const std::string& name, uint16_t port, SocketRun& run);

}  // namespace inlay::tester
