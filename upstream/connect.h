// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connections to a cluster's hosts: plain or with TLS, as the cluster is configured.

#include <memory>

#include "net/connection.h"
#include "net/event_loop.h"
#include "upstream/cluster.h"

namespace inlay::upstream {

// Starts to connect, for at most the cluster's connect_timeout, the TLS handshake included; on_connected or on_closed
// follows, never from inside of this call.
// `http1`: what will be spoken, where the cluster speaks HTTP/2, too.
std::unique_ptr<net::Connection> connect_to(net::EventLoop& loop, const Cluster& cluster, const HostSpec& host,
                                            net::ConnectionHandler& handler, bool http1 = false);

}  // namespace inlay::upstream
