// SPDX-License-Identifier: Apache-2.0
#include "host/tcp_context_impl.h"

#include <algorithm>
#include <optional>

#include "host/flow_call.h"
#include "host/worker_impl.h"

namespace inlay::host {

using abi::Action;

void TcpContextImpl::begin(WorkerPluginImpl& owner, TcpStream& stream, RootContext* root_context) {
  closed_ = false;
  begin_use(owner, stream, root_context);
}

void TcpContextImpl::defer_close(Peer side) {
  close_side_ = side;
  defer_reset();
}

void TcpContextImpl::carry_out() {
  if (std::exchange(reset_pending_, false)) {
    continue_pending_ = {};
    if (std::exchange(closed_, true)) return;
    tcp()->close(close_side_ == Peer::kDownstream ? "wasm_downstream_close" : "wasm_upstream_close");
    return;
  }
  const uint64_t use = serial();
  for (size_t direction = 0; direction < kDirections; ++direction) {
    if (!std::exchange(continue_pending_[direction], false)) continue;
    paused_[direction] = false;
    resume(direction);
    if (use != serial() || tcp() == nullptr) return;
  }
}

void TcpContextImpl::resume(size_t direction) {
  tcp()->continue_stream(static_cast<Peer>(direction));
}

void TcpContextImpl::refuse() {
  if (tcp() == nullptr || logged_ || std::exchange(closed_, true)) return;
  tcp()->close("wasm_fail_stream");
}

Action TcpContextImpl::settle(Peer from, Outcome outcome, uint32_t returned) {
  const Action by_guest = returned == 0 ? Action::kContinue : Action::kPause;
  return FlowContext::settle(index(from), outcome, by_guest, Action::kPause, closed_);
}

Action TcpContextImpl::new_connection() {
  uint32_t returned = 0;
  const Outcome outcome = invoke(index(Peer::kDownstream), returned, [&](Vm& mine) -> engine::Answer<uint32_t> {
    const auto& f = mine.callbacks().on_new_connection;
    return f ? mine.call(*this, f, id) : engine::Answer<uint32_t>(0);
  });
  return settle(Peer::kDownstream, outcome, returned);
}

Action TcpContextImpl::data(Peer from, size_t size, bool end_of_stream) {
  uint32_t returned = 0;
  const Outcome outcome = invoke(index(from), returned, [&](Vm& mine) -> engine::Answer<uint32_t> {
    const Callbacks& c = mine.callbacks();
    const auto& f = from == Peer::kDownstream ? c.on_downstream_data : c.on_upstream_data;
    if (!f) return 0;
    return mine.call(*this, f, id, static_cast<uint32_t>(std::min<size_t>(size, UINT32_MAX)), end_of_stream ? 1u : 0u);
  });
  return settle(from, outcome, returned);
}

void TcpContextImpl::closed(Peer side, abi::PeerType peer) {
  if (vm == nullptr) return;
  Vm& mine = *vm;
  const Callbacks& c = mine.callbacks();
  const auto& f = side == Peer::kDownstream ? c.on_downstream_connection_close : c.on_upstream_connection_close;
  if (!f) return;
  const bool alive = static_cast<bool>(mine.call(*this, f, id, static_cast<uint32_t>(peer)));
  if (!alive && policy() == Outcome::kStop) return refuse();
  mine.run_deferred();
}

namespace {
TcpContextImpl& self(TcpContext* context) {
  return *static_cast<TcpContextImpl*>(context);
}

// Without a VM a connection is either bypassed, and nobody asks, or refused by its first callback.
bool wants(const TcpContext* context, Callback<uint32_t(uint32_t, uint32_t, uint32_t)> Callbacks::*callback) {
  const auto& me = *static_cast<const TcpContextImpl*>(context);
  return me.vm ? static_cast<bool>(me.vm->callbacks().*callback) : !me.owner().fails_open();
}
}  // namespace

Action TcpContext::on_new_connection() {
  return self(this).new_connection();
}
Action TcpContext::on_downstream_data(size_t size, bool end) {
  return self(this).data(Peer::kDownstream, size, end);
}
Action TcpContext::on_upstream_data(size_t size, bool end) {
  return self(this).data(Peer::kUpstream, size, end);
}
void TcpContext::on_downstream_connection_close(abi::PeerType peer) {
  self(this).closed(Peer::kDownstream, peer);
}
void TcpContext::on_upstream_connection_close(abi::PeerType peer) {
  self(this).closed(Peer::kUpstream, peer);
}
bool TcpContext::wants_downstream_data() const {
  return wants(this, &Callbacks::on_downstream_data);
}
bool TcpContext::wants_upstream_data() const {
  return wants(this, &Callbacks::on_upstream_data);
}
void TcpContext::destroy() {
  self(this).finish();
}

}  // namespace inlay::host
