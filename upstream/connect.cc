// SPDX-License-Identifier: Apache-2.0
#include "upstream/connect.h"

#include "tls/tls_connection.h"

namespace inlay::upstream {

std::unique_ptr<net::Connection> connect_to(net::EventLoop& loop, const Cluster& cluster, const HostSpec& host,
                                            net::ConnectionHandler& handler, bool http1) {
  const auto timeout = cluster.config.connect_timeout;
  const auto& tls = http1 && cluster.http1_tls ? cluster.http1_tls : cluster.tls;
  if (!tls) return net::connect(loop, host.address, timeout, handler);
  return tls::connect(loop, host.address, timeout, handler, tls, tls->server_name(host.hostname));
}

}  // namespace inlay::upstream
