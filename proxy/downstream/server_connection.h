// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServerConnection: a client's HTTP connection, of either protocol, as its ConnectionManager sees it. Owned by it.
// Inside of downstream/.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "proxy/downstream/connection_manager_impl.h"

namespace inlay::proxy::downstream {

class ServerConnection {
 public:
  // Arms max_connection_duration, after which it drains.
  ServerConnection(ConnectionManager::Impl& manager, size_t index);
  virtual ~ServerConnection() = default;
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  size_t index() const { return index_; }  // in the manager's list
  void set_index(size_t index) { index_ = index; }

  // Takes no more requests, and closes when those that are under way have their answers; now, if there are none.
  virtual void drain() = 0;
  // The same, but takes one more request where a client cannot be told that he may send none (HTTP/1).
  virtual void retire() { drain(); }
  // Resets all streams and closes.
  virtual void abort(std::string_view details) = 0;

 protected:
  void end_duration() { duration_timer_.reset(); }

  ConnectionManager::Impl& manager_;

 private:
  std::unique_ptr<net::Timer> duration_timer_;
  size_t index_;
};

// Bytes that may be unsent before the response is held back.
inline size_t write_limit_of(const config::Listener& listener) {
  const uint32_t limit = listener.per_connection_buffer_limit_bytes;
  return limit > 0 ? limit : SIZE_MAX;
}
// Sets that, and how long a client may take to close.
void configure_socket(const ConnectionManager::Impl& manager, net::Connection& connection);

std::unique_ptr<ServerConnection> make_http1_connection(ConnectionManager::Impl& manager,
                                                        std::unique_ptr<net::Connection>&& connection, size_t index,
                                                        std::vector<FilterState>* below);
std::unique_ptr<ServerConnection> make_http2_connection(ConnectionManager::Impl& manager,
                                                        std::unique_ptr<net::Connection>&& connection, size_t index,
                                                        std::vector<FilterState>* below);

}  // namespace inlay::proxy::downstream
