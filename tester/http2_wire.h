// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http2Wire: HTTP/2 on a socket of a case, for its clients and upstreams: a session (http2/), and the bytes between it
// and the socket.

#include <memory>
#include <string>

#include "base/buffer.h"
#include "http2/session.h"
#include "tester/header_fields.h"
#include "tester/socket.h"
#include "tester/socket_run.h"
#include "tester/words.h"

namespace inlay::tester {

class Http2Wire {
 public:
  // `sink` and `run` outlive it.
  Http2Wire(http2::Session::Kind kind, Socket socket, http2::SessionSink& sink, SocketRun& run);

  http2::Session& session() { return *session_; }
  Socket& socket() { return socket_; }
  // Sends what the session has to say.
  void flush();
  // Gives the session what has come; kBytes when something has, kEnd or kReset once the connection ends.
  Socket::Read read();

 private:
  SocketRun& run_;
  Socket socket_;
  std::unique_ptr<http2::Session> session_;
};

// Pseudo-headers stand in the order in which Envoy makes them of a request by HTTP/1.
http::HeaderMap http2_request(const Step& step);

// Length counts what is still missing of a body whose head says its length.
class Length {
 public:
  // Of a message with these fields.
  void begin(const Fields& fields);
  // So many bytes of it are sent; whether they are the last.
  bool take(size_t bytes);

 private:
  bool known_ = false;
  size_t left_ = 0;
};

}  // namespace inlay::tester
