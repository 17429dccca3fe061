// SPDX-License-Identifier: Apache-2.0
#pragma once

// KeySource: a provider's keys on one worker, as Envoy has them: local ones for ever; remote ones until cache_duration
// is over, or with async_fetch from the start on, fetched again before that and until then kept whatever comes of it.
// Requests that need keys while they are fetched wait for the same fetch. Loop thread only.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "config/jwt_authn.h"
#include "host/embedder.h"
#include "net/event_loop.h"
#include "proxy/http_filters/jwt_authn/key_fetch.h"
#include "stats/metrics.h"

namespace inlay::proxy::http_filters::jwt_authn {

class KeySource {
 public:
  struct Stats {
    stats::Counter fetch_success{};
    stats::Counter fetch_failed{};
  };
  using Done = std::function<void(const Keys&)>;

  // All outlive it. `on_new`: keys were fetched.
  KeySource(net::EventLoop& loop, host::Upstreams& upstreams, const config::JwtProvider& provider, const Stats& stats,
            std::function<void()> on_new);

  // Null: there are none, or no longer.
  Keys current() const;
  bool is_remote() const { return remote_ != nullptr; }
  // Fetches them. `done` is called later, from the loop, with null where there are none; unless forget() is called with
  // the number that this returns, which is never 0.
  uint64_t fetch(Done done);
  void forget(uint64_t number) { waiting_.erase(number); }

 private:
  void begin();
  void end(Keys keys);

  net::EventLoop& loop_;
  host::Upstreams& upstreams_;
  const config::RemoteKeys* remote_ = nullptr;
  const Stats stats_;
  std::function<void()> on_new_;
  Keys keys_;
  int64_t expires_ = 0;              // on the loop's clock; of remote keys without async_fetch
  std::unique_ptr<KeyFetch> fetch_;  // under way
  std::map<uint64_t, Done> waiting_;
  uint64_t last_ = 0;
  net::Timer again_;  // async_fetch
};

}  // namespace inlay::proxy::http_filters::jwt_authn
