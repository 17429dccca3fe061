// SPDX-License-Identifier: Apache-2.0
#include "tester/tcp_origin.h"

#include <algorithm>
#include <utility>

#include "proxy/tcp/tcp_proxy.h"

namespace inlay::tester {

using net::DeferredTask;
using proxy::tcp::Action;
using Close = net::Connection::Close;

void TcpOrigin::start(proxy::tcp::FilterCallbacks& callbacks) {
  callbacks_ = &callbacks;
  callbacks.allow_reading(false);
  connecting_.emplace(callbacks.loop(), DeferredTask::When::kNextTurn, [this] { connect(); });
}

Action TcpOrigin::on_new_connection() {
  ++script_.activity;
  name_ = config_.targets.at(0).cluster;
  for (const auto& state : callbacks_->info().filter_state) {
    if (state.name == proxy::tcp::kClusterState) name_ = state.value;
  }
  if (script_.c.upstream(name_) == nullptr) {
    callbacks_->close(Close::kNow, "cluster_not_found", proxy::downstream::kNoClusterFound);
    return Action::kPause;
  }
  callbacks_->info().upstream_cluster = name_;
  connecting_->schedule();
  return Action::kPause;
}

void TcpOrigin::connect() {
  ++script_.activity;
  if (script_.c.upstream(name_)->behaviour != Upstream::Behaviour::kAccepts) {
    return callbacks_->close(
        Close::kNow, "upstream_connect_failure",
        proxy::downstream::kUpstreamConnectionFailure | proxy::downstream::kUpstreamRetryLimitExceeded);
  }
  connected_ = true;
  script_.connections.push_back(this);
  script_.transcript.line(name_, "got connection");
  callbacks_->allow_reading(true);
}

Action TcpOrigin::on_read(Buffer& data, bool end) {
  if (!connected_) return Action::kPause;
  ++script_.activity;
  script_.transcript.bytes(name_, data.to_string());
  data.clear();
  if (end) got("end");
  return Action::kContinue;
}

void TcpOrigin::on_above_write_watermark() {
  ++script_.activity;
  script_.transcript.line(name_, "must wait");
}

void TcpOrigin::on_below_write_watermark() {
  ++script_.activity;
  script_.transcript.line(name_, "may go on");
}

void TcpOrigin::got(std::string_view how) {
  if (!std::exchange(ended_, true)) script_.transcript.line(name_, "got " + std::string(how));
}

void TcpOrigin::send(std::string_view bytes, bool end) {
  Buffer data;
  data.append(bytes);
  callbacks_->write(data, end);
}

void TcpOrigin::reset() {
  ended_ = true;
  callbacks_->close(Close::kReset, "upstream_closed", 0);
}

void TcpOrigin::on_close(abi::PeerType) {
  ++script_.activity;
  connecting_.reset();
  if (std::exchange(connected_, false)) got(callbacks_->client_has_reset() ? "reset" : "end");
  std::erase(script_.connections, this);
}

}  // namespace inlay::tester
