// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionPool: a worker's connections to one host, the requests that wait for one, and the circuit breakers on the
// way. Loop thread only.
//
// HTTP/1: idle connections are used again last in, first out, so that those in excess reach their idle timeout. One
// whose answer is complete is not used before the loop has looked for events once more: what a faulty peer sends behind
// its answer is news then and ends the connection, and does not answer somebody else's request.
//
// HTTP/2: one connection for as many requests as it takes, and one more when it takes no more. Where requests go out
// as they came, the pool of HTTP/2 has one of HTTP/1 beside it.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "upstream/client_connection.h"
#include "upstream/cluster.h"
#include "upstream/request.h"

namespace inlay::upstream {

class ConnectionPool {
 public:
  // `parent`: whose http1() it is.
  ConnectionPool(net::EventLoop& loop, Cluster& cluster, HostSpec host, ConnectionPool* parent = nullptr);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  Cluster& cluster() { return cluster_; }
  const HostSpec& host() const { return host_; }
  // DNS gave the same address with another weight or health.
  void update_host(HostSpec host);
  // The pool for requests that came as HTTP/1, of a cluster whose requests go out as they came.
  ConnectionPool& http1();
  // Requests under way or waiting, and TCP connections; those of http1(), too.
  const uint32_t& active_requests() const { return active_requests_; }
  size_t connections() const { return connections_.size(); }
  size_t idle_connections() const { return idle_.size() + resting_.size(); }

  // A TCP connection to the host (TcpUpstream) counts as a connection and, as in Envoy, as a request.
  void begin_tcp();
  void end_tcp();

  // The host is gone from its cluster: idle connections close now, others after their request.
  void drain();
  bool draining() const { return draining_; }
  // Nothing is left of a draining pool.
  bool drained() const {
    return draining_ && connections_.empty() && active_requests_ == 0 && (!http1_ || http1_->drained());
  }

 private:
  friend class Http1Connection;
  friend class Http2Connection;
  friend class UpstreamRequest;

  // For UpstreamRequest. False: a circuit breaker is open.
  bool acquire(UpstreamRequest& request);
  void forget(UpstreamRequest& request);  // it has ended
  // The same request once more, on a new connection.
  void replay(UpstreamRequest& request);

  // For ClientConnection.
  void on_connected(ClientConnection& connection);
  void on_connect_failed(ClientConnection& connection, ResetReason reason, std::string_view detail);
  void on_free(ClientConnection& connection);  // a response is complete and it can soon take another request
  void on_capacity();                          // a connection of HTTP/2 takes more or less than before
  void on_gone(ClientConnection& connection, bool by_peer);

  void enqueue(UpstreamRequest& request);
  void unqueue(UpstreamRequest& request);
  void count(int more);
  bool multiplexes() const { return parent_ == nullptr && cluster_.config.http2.has_value(); }
  // A connection that takes a request; nullptr: there is none. An idle one of HTTP/1 is taken out.
  ClientConnection* take_idle();
  ClientConnection* find_open();
  void close_if_drained(ClientConnection& connection);
  void rest(ClientConnection& connection);
  void serve_pending();
  void connect_as_needed();
  void connect();
  void remove(ClientConnection& connection);

  net::EventLoop& loop_;
  Cluster& cluster_;
  HostSpec host_;
  ConnectionPool* const parent_;
  std::unique_ptr<ConnectionPool> http1_;  // null: not yet
  std::vector<std::unique_ptr<ClientConnection>> connections_;
  std::vector<ClientConnection*> idle_;
  std::vector<ClientConnection*> resting_;  // idle, and not looked at since its answer
  uint64_t resting_since_ = 0;              // the loop's turn in which all of them came
  net::DeferredTask serve_task_;
  size_t connecting_ = 0;  // how many connections
  UpstreamRequest* first_pending_ = nullptr;
  UpstreamRequest* last_pending_ = nullptr;
  size_t pending_ = 0;
  uint32_t active_requests_ = 0;
  bool draining_ = false;
};

}  // namespace inlay::upstream
