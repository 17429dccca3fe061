// SPDX-License-Identifier: Apache-2.0
#pragma once

// TCP connections in guests: what an embedder implements (TcpStream) and what it drives (TcpContext).
//
//     TcpContext* ctx = plugin->create_tcp_context(stream);          // nullptr means "bypass this filter"
//     if (ctx->on_new_connection() == abi::Action::kPause) ...
//     ctx->on_downstream_data(buffer.size(), end_of_stream);         // stream.data(Peer::kDownstream) is what it sees
//     ctx->on_downstream_connection_close(abi::PeerType::kRemote);
//     ctx->destroy();                                                // done, log, delete

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "abi/types.h"
#include "base/buffer.h"
#include "host/embedder.h"

namespace inlay::host {

// Peer is who sends the bytes: the client (downstream) or the server (upstream).
enum class Peer : uint8_t { kDownstream, kUpstream };

// TcpStream is one connection from a client, with the one that the proxy opens for it to a server, as the embedder
// holds it.
//
// Lifetime: the embedder keeps it alive until TcpContext::destroy(); after that the host never touches it. All calls
// may come from inside a guest's callback.
class TcpStream : public AttributeSource {
 public:
  // The bytes that a data callback sees, and after a pause those that wait. nullptr while there are none to be seen.
  // Edits go straight into the buffer.
  virtual Buffer* data(Peer from) = 0;
  // Goes on after a pause, with the bytes that wait. The host calls this after the guest has returned, never inside of
  // a callback.
  virtual void continue_stream(Peer from) = 0;
  // Closes the connection when what was written to it has been sent; `details` is for logs. The host calls this after
  // the guest has returned. on_downstream_connection_close may come from inside of it.
  virtual void close(std::string_view details) = 0;
};

// TcpContext is one connection's context in a guest. Owned by its WorkerPlugin; ends with destroy().
//
// kPause: the filters that follow do not see the bytes, which wait in the buffer; the next callback of that direction
// sees them again, with those that have come since. When the guest closed the connection or trapped (and the policy is
// to refuse), close() has been called and the answer is kPause.
class TcpContext {
 public:
  abi::Action on_new_connection();
  abi::Action on_downstream_data(size_t size, bool end_of_stream);
  abi::Action on_upstream_data(size_t size, bool end_of_stream);
  void on_downstream_connection_close(abi::PeerType peer);
  void on_upstream_connection_close(abi::PeerType peer);
  // Whether the guest exports the callback at all: a filter without it need not be asked, and its data not be kept.
  bool wants_downstream_data() const;
  bool wants_upstream_data() const;

  // on_done, on_log and on_delete, in Envoy's order. The context is gone for the caller.
  void destroy();

 protected:
  TcpContext() = default;
  ~TcpContext() = default;
};

}  // namespace inlay::host
