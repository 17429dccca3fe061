// SPDX-License-Identifier: Apache-2.0
#pragma once

// AdminServer: the admin interface on a socket of the main thread's loop. HTTP/1.1 with keep-alive; small requests
// only.

#include <list>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "match/string_matcher.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "proxy/admin/admin_target.h"
#include "proxy/admin/handlers.h"

namespace inlay::proxy::admin {

class AdminServer {
 public:
  // `target` outlives the server. Errors: those of net::listen; a regular expression that RE2 does not take.
  static Result<std::unique_ptr<AdminServer>> create(net::EventLoop& loop, const config::Admin& config,
                                                     AdminTarget& target);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  const Address& address() const { return listener_->address(); }
  // For who answers until the loop runs.
  int socket() const { return listener_->socket(); }
  // Whether allow_paths has this path, without its query. Any thread.
  bool allows(std::string_view path) const;

 private:
  class Client;
  using Clients = std::list<std::unique_ptr<Client>>;
  AdminServer(net::EventLoop& loop, AdminTarget& target);
  void accept(std::unique_ptr<net::Connection> connection);
  Response answer(const Request& request) const;
  void used(const Client& client);
  void remove(Client& client);
  Clients::iterator find(const Client& client);

  net::EventLoop& loop_;
  AdminTarget& target_;
  std::vector<match::StringMatcher> allow_paths_;  // empty: all
  Clients clients_;                                // the one that was used last stands last
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace inlay::proxy::admin
