// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "host/flow_context.h"
#include "host/tcp.h"

namespace inlay::host {

// TcpContextImpl is what TcpContext is.
class TcpContextImpl final : public TcpContext, public FlowContext {
 public:
  explicit TcpContextImpl(FlowContext*& unused) : FlowContext(Kind::kConnection, unused) {}

  void begin(WorkerPluginImpl& owner, TcpStream& stream, RootContext* root_context);
  TcpStream* tcp() const { return static_cast<TcpStream*>(embedder()); }

  // proxy_close_stream, for one side: the connection ends either way.
  void defer_close(Peer side);
  void defer_continue(Peer from) { FlowContext::defer_continue(index(from)); }

  abi::Action new_connection();
  abi::Action data(Peer from, size_t size, bool end_of_stream);
  void closed(Peer side, abi::PeerType peer);
  void finish() { FlowContext::finish(Log::kBetween); }

 private:
  static size_t index(Peer peer) { return static_cast<size_t>(peer); }
  abi::Action settle(Peer from, Outcome outcome, uint32_t returned);

  void carry_out() override;
  void resume(size_t direction) override;
  void refuse() override;

  bool closed_ = false;  // close() has been called
  Peer close_side_ = Peer::kDownstream;
};

}  // namespace inlay::host
