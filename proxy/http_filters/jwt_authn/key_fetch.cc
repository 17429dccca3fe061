// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/key_fetch.h"

#include <algorithm>
#include <utility>

#include "upstream/back_off.h"

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

using std::chrono::milliseconds;

// The keys in the answer to a try; null: there are none.
Keys keys_in(const host::HttpCallResponse& response) {
  if (response.headers.value(http::HeaderId::kStatus) != "200" || response.body.size() > jwt::kLargestKeySet)
    return nullptr;
  std::string text(response.body.size(), '\0');
  response.body.copy_out(0, text.size(), text.data());
  auto keys = std::make_shared<jwt::KeySet>();
  return jwt::KeySet::read(text, *keys) == jwt::Status::kOk ? std::move(keys) : nullptr;
}

}  // namespace

KeyFetch::KeyFetch(net::EventLoop& loop, host::Upstreams& upstreams, const config::RemoteKeys& remote,
                   std::function<void(Keys)> done)
    : upstreams_(upstreams),
      remote_(remote),
      done_(std::move(done)),
      next_(loop, [this] { begin_try(); }),
      deadline_(loop,
                [this] {
                  cancel();
                  end_try(nullptr, false);
                }),
      random_(std::random_device{}()) {
  if (remote.timeout > milliseconds(0)) deadline_.arm(remote.timeout);
  next_.arm(milliseconds(0));
}

KeyFetch::~KeyFetch() {
  cancel();
}

void KeyFetch::cancel() {
  next_.disarm();
  if (call_ != 0) upstreams_.cancel_http_call(std::exchange(call_, 0));
}

void KeyFetch::begin_try() {
  host::HttpCallRequest request;
  request.cluster = remote_.cluster;
  request.headers.add(":method", "GET");
  request.headers.add(":path", remote_.path);
  request.headers.add(":authority", remote_.host);
  request.timeout = remote_.has_retry_policy && remote_.timeout > milliseconds(0)
                        ? std::min(remote_.timeout, remote_.back_off_max)
                        : remote_.timeout;
  const auto started = upstreams_.start_http_call(std::move(request), *this);
  if (!started) return end_try(nullptr, true);
  call_ = *started;
}

void KeyFetch::on_http_call_response(uint64_t, host::HttpCallResponse response) {
  call_ = 0;
  const bool broken = response.reset || response.headers.value(http::HeaderId::kStatus).starts_with('5');
  end_try(broken ? nullptr : keys_in(response), broken);
}

void KeyFetch::end_try(Keys keys, bool again) {
  if (again && retries_ < remote_.num_retries) {
    const milliseconds longest = upstream::longest_back_off(remote_.back_off_base, remote_.back_off_max, retries_++);
    return next_.arm(milliseconds(std::uniform_int_distribution<int64_t>(0, longest.count())(random_)));
  }
  deadline_.disarm();
  const auto done = std::move(done_);
  done(std::move(keys));
}

}  // namespace inlay::proxy::http_filters::jwt_authn
