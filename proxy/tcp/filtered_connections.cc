// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/filtered_connections.h"

#include <utility>

#include "proxy/tcp/filtered_connection.h"

namespace inlay::proxy::tcp {

FilteredConnections::FilteredConnections(net::EventLoop& loop, const config::Listener& listener,
                                         std::vector<FilterFactory*> factories,
                                         std::unique_ptr<downstream::ConnectionManager> manager)
    : loop_(loop), listener_(listener), factories_(std::move(factories)), manager_(std::move(manager)) {}

void FilteredConnections::accept(std::unique_ptr<net::Connection> connection) {
  auto made = std::make_unique<FilteredConnection>(loop_, std::move(connection), listener_, factories_);
  FilteredConnection& filtered = *made;
  manager_->accept(std::move(made), &filtered.info().filter_state);
  filtered.start();
}

}  // namespace inlay::proxy::tcp
