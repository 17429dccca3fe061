// SPDX-License-Identifier: Apache-2.0
#pragma once

// ClientConnection: a connection to an upstream host that takes requests, one at a time (Http1Connection) or several
// (Http2Connection); and ClientStream, the place on it that one request has. Owned by a ConnectionPool, which a
// connection tells what happens to it. Loop thread only.

#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "http/header_map.h"
#include "net/event_loop.h"

namespace inlay::upstream {

class ConnectionPool;
class UpstreamRequest;

// ClientStream is how an UpstreamRequest that has a connection sends and is held back.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  // Take all of it. The request may have ended on return.
  virtual void send_data(Buffer& data, bool end_stream) = 0;
  virtual void send_trailers(const http::HeaderMap& trailers) = 0;
  virtual void pause_response() = 0;
  virtual void resume_response() = 0;
  virtual bool above_watermark() const = 0;
  // The request has been cancelled: it is told nothing, and the rest of its answer reaches nobody.
  virtual void cancel() = 0;
};

class ClientConnection {
 public:
  virtual ~ClientConnection() = default;

  // How many requests it can take at this moment; 0 while it connects.
  virtual uint32_t capacity() const = 0;
  virtual bool busy() const = 0;  // has a request
  // Puts a request on it, while there is capacity(), and sends what there is of it. The request may have ended on
  // return.
  virtual void begin(UpstreamRequest& request) = 0;
  // Something came that has not been handled yet.
  virtual bool has_news() const = 0;
  // Waits for the next request, or closes after the idle timeout.
  virtual void become_idle() = 0;
  // Closes it when no request is on it.
  virtual void close() = 0;
  // Closes it whatever is going on; requests on it are told nothing, and forget it and the pool.
  virtual void abandon() = 0;
};

// Start to connect; the pool is told the outcome.
std::unique_ptr<ClientConnection> make_http1_connection(ConnectionPool& pool, net::EventLoop& loop);
std::unique_ptr<ClientConnection> make_http2_connection(ConnectionPool& pool, net::EventLoop& loop);

}  // namespace inlay::upstream
