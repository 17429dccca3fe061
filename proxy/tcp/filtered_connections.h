// SPDX-License-Identifier: Apache-2.0
#pragma once

// FilteredConnections: network filters before an HttpConnectionManager. It stands between the listener and the manager,
// and gives the manager connections whose bytes pass through the filters: what the client sends on its way to the
// codec, what the codec writes on its way to the client. A listener without such filters has none of this.
//
//     FilteredConnections owner(loop, listener, {&wasm}, std::make_unique<downstream::ConnectionManager>(...));
//     owner.accept(std::move(connection));
//
// As in Envoy, where connections before an HttpConnectionManager know no half-close: the filters get no end_of_stream;
// a client that has sent its last byte has closed the connection, by itself (PeerType::kRemote), whatever waits. What
// the filters store with the connection (filter state) every request of the connection can read.
//
// Bytes that a filter still holds when the manager closes the connection are dropped.

#include <functional>
#include <memory>
#include <vector>

#include "config/model.h"
#include "net/connection_owner.h"
#include "net/event_loop.h"
#include "proxy/downstream/connection_manager.h"
#include "proxy/tcp/filter.h"

namespace inlay::proxy::tcp {

class FilteredConnections final : public net::ConnectionOwner {
 public:
  // `listener` and what `factories` points to outlive this. At least one factory.
  FilteredConnections(net::EventLoop& loop, const config::Listener& listener, std::vector<FilterFactory*> factories,
                      std::unique_ptr<downstream::ConnectionManager> manager);

  void accept(std::unique_ptr<net::Connection> connection) override;
  void drain(std::function<void()> on_drained) override { manager_->drain(std::move(on_drained)); }
  void retire(std::function<void()> on_drained) override { manager_->retire(std::move(on_drained)); }
  downstream::ConnectionManager& manager() { return *manager_; }

 private:
  net::EventLoop& loop_;
  const config::Listener& listener_;
  const std::vector<FilterFactory*> factories_;
  std::unique_ptr<downstream::ConnectionManager> manager_;
};

}  // namespace inlay::proxy::tcp
