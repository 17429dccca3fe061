// SPDX-License-Identifier: Apache-2.0
#pragma once

// ChainChoice: which of a listener's filter chains a connection is for, by the client's first bytes, as Envoy decides
// with its tls_inspector (FilterChainMatch: server_names, then transport_protocol). The bytes stay with the connection.
// Only a listener with something to choose has one. Loop thread only.
//
//     ChainChoice choice(loop, listener, metrics, {{&listener.chain_match, [&](auto c) { manager.accept(std::move(c));
//     }}}); choice.accept(std::move(connection));

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "stats/metrics.h"

namespace inlay::proxy {

// The place in `chains` of the one that takes connections of this kind; nullopt: none. The chains that name the server
// count first, by its whole name, then by "*." and the longest rest of it; among them those of the protocol, then those
// of any. There is no way back: where none of those has the protocol, only the default chain is left.
std::optional<size_t> choose_chain(const std::vector<const config::FilterChainMatch*>& chains,
                                   std::string_view server_name, bool tls);

class ChainChoice {
 public:
  struct Chain {
    const config::FilterChainMatch* match;
    std::function<void(std::unique_ptr<net::Connection>)> accept;
  };
  // `listener` has the socket, and outlives this, as `metrics` does.
  ChainChoice(net::EventLoop& loop, const config::Listener& listener, stats::MetricStore& metrics,
              std::vector<Chain> chains);
  ~ChainChoice();
  ChainChoice(const ChainChoice&) = delete;
  ChainChoice& operator=(const ChainChoice&) = delete;

  void accept(std::unique_ptr<net::Connection> connection);
  // Closes those that are not decided yet.
  void close_all();
  // Whether all are decided; calls `then` once, on a later turn of the loop, when they are. close_all() forgets that.
  bool all_decided() const { return undecided_.empty(); }
  void when_all_decided(std::function<void()> then) { then_ = std::move(then); }

 private:
  class Undecided;
  void decide(Undecided& connection, std::string_view server_name, bool tls);
  void forget(Undecided& connection);

  net::EventLoop& loop_;
  const config::Listener& listener_;
  std::vector<Chain> chains_;
  std::vector<const config::FilterChainMatch*> matches_;
  std::vector<std::unique_ptr<Undecided>> undecided_;
  std::function<void()> then_;  // null: nobody waits
  net::DeferredTask then_task_;
  stats::Counter no_match_, timeout_;
};

}  // namespace inlay::proxy
