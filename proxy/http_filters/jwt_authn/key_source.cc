// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/key_source.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

// So much before they expire Envoy fetches keys again.
constexpr std::chrono::seconds kAhead{5};
// Of failed_refetch_duration: a server that refuses must not keep the worker busy.
constexpr std::chrono::milliseconds kShortestWait{10};

}  // namespace

KeySource::KeySource(net::EventLoop& loop, host::Upstreams& upstreams, const config::JwtProvider& provider,
                     const Stats& stats, std::function<void()> on_new)
    : loop_(loop),
      upstreams_(upstreams),
      remote_(provider.remote_jwks ? &*provider.remote_jwks : nullptr),
      stats_(stats),
      on_new_(std::move(on_new)),
      keys_(provider.local_jwks),
      again_(loop, [this] { begin(); }) {
  if (remote_ != nullptr && remote_->async) begin();
}

Keys KeySource::current() const {
  const bool lasts = remote_ == nullptr || remote_->async || loop_.now() < expires_;
  return lasts ? keys_ : nullptr;
}

uint64_t KeySource::fetch(Done done) {
  waiting_.emplace(++last_, std::move(done));
  begin();
  return last_;
}

void KeySource::begin() {
  if (!fetch_)
    fetch_ = std::make_unique<KeyFetch>(loop_, upstreams_, *remote_, [this](Keys keys) { end(std::move(keys)); });
}

void KeySource::end(Keys keys) {
  loop_.delete_later(std::move(fetch_));  // one of its functions is on the stack
  (keys ? stats_.fetch_success : stats_.fetch_failed).add();
  if (keys) {
    keys_ = keys;
    expires_ = loop_.now() + std::chrono::nanoseconds(remote_->cache_duration).count();
    on_new_();
  }
  if (remote_->async) {
    const auto lasts = remote_->cache_duration > kAhead ? remote_->cache_duration - kAhead : remote_->cache_duration;
    again_.arm(keys ? lasts : std::max(remote_->async->failed_refetch_duration, kShortestWait));
  }
  // What one is told may end others, or begin the next fetch.
  std::vector<uint64_t> numbers;
  for (const auto& [number, done] : waiting_) numbers.push_back(number);
  for (const uint64_t number : numbers) {
    const auto waits = waiting_.extract(number);
    if (!waits.empty()) waits.mapped()(keys);
  }
}

}  // namespace inlay::proxy::http_filters::jwt_authn
