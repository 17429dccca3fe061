// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketUpstream: a connection that the proxy has made to an upstream of a case, which answers by HTTP/1 or HTTP/2, or
// accepts bytes. What it gets goes into the transcript.

#include <memory>
#include <string>
#include <string_view>

#include "tester/socket.h"
#include "tester/socket_run.h"

namespace inlay::tester {

// Exchange: a request that has come and is not answered yet; of an upstream that accepts, the connection.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // As in World.
  virtual void head(const Answer& answer, bool end, bool chunked) = 0;
  virtual void body(std::string_view bytes, bool end) = 0;
  virtual void trailers(const Fields& fields) = 0;
  virtual void resets() = 0;
  virtual void continues() = 0;  // 100 Continue
};

class SocketUpstream {
 public:
  virtual ~SocketUpstream() = default;
  // The oldest that waits; null when none does.
  virtual Exchange* waiting() = 0;
  // Sends what waits and reads what has come; says whether something has.
  virtual bool turn() = 0;
  virtual bool open() const = 0;
  // Whether the proxy has read all that was sent, where that can be told.
  virtual bool is_read() const { return true; }
  // The proxy has been told to end, and may wait for this side's end.
  virtual void proxy_ends() {}
};

// Does with a request that is complete what the upstream of the case does by itself.
void serve(Exchange& exchange, const Upstream& upstream);

// `run` outlives them.
std::unique_ptr<SocketUpstream> make_http1_upstream(const std::string& name, Socket socket, SocketRun& run);
std::unique_ptr<SocketUpstream> make_http2_upstream(const std::string& name, Socket socket, SocketRun& run);
std::unique_ptr<SocketUpstream> make_raw_upstream(const std::string& name, Socket socket, SocketRun& run);

}  // namespace inlay::tester
