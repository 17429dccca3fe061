// SPDX-License-Identifier: Apache-2.0
#pragma once

// KeyFetch: one fetch of a key set through a cluster, with its retries. Loop thread only.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>

#include "config/jwt_authn.h"
#include "host/embedder.h"
#include "jwt/key_set.h"
#include "net/event_loop.h"

namespace inlay::proxy::http_filters::jwt_authn {

using Keys = std::shared_ptr<const jwt::KeySet>;

class KeyFetch final : private host::HttpCallHandler {
 public:
  // All outlive it. `done` is called once, from the loop and never from inside of this: with the keys, or null when
  // there are none. It may destroy this.
  KeyFetch(net::EventLoop& loop, host::Upstreams& upstreams, const config::RemoteKeys& remote,
           std::function<void(Keys)> done);
  ~KeyFetch() override;

 private:
  void on_http_call_response(uint64_t call_id, host::HttpCallResponse response) override;
  void begin_try();
  void end_try(Keys keys, bool again);
  void cancel();

  host::Upstreams& upstreams_;
  const config::RemoteKeys& remote_;
  std::function<void(Keys)> done_;
  net::Timer next_;      // try, or the end of one that could not begin
  net::Timer deadline_;  // of all tries
  std::minstd_rand random_;
  uint64_t call_ = 0;
  uint32_t retries_ = 0;
};

}  // namespace inlay::proxy::http_filters::jwt_authn
