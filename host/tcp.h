// SPDX-License-Identifier: Apache-2.0
#pragma once

// TCP connections in guests: what an embedder implements (TcpStream) and what it drives (TcpContext).
//
// Everything here is used on the worker's thread (host/embedder.h).
//
//     // A connection that brings `bytes` and ends: what the plugin lets through to the server.
//     std::string pass(WorkerPlugin& plugin, TcpStream& stream, Buffer& bytes) {  // stream.data() gives `bytes`
//       TcpContext* const context = plugin.create_tcp_context(stream);
//       if (context == nullptr) return bytes.to_string();  // FAIL_OPEN: the connection passes this filter by
//       bool passes = context->on_new_connection() == abi::Action::kContinue;
//       passes = passes && context->on_downstream_data(bytes.size(), true) == abi::Action::kContinue;
//       context->on_downstream_connection_close(abi::PeerType::kRemote);
//       context->destroy();
//       return passes ? bytes.to_string() : "";
//     }

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
// Lifetime: the embedder keeps it alive until TcpContext::destroy(); after that the host never touches it. data() and
// attributes are asked for from inside a guest's callback; the other two come when the guest has returned, before the
// callback's function in TcpContext does.
class TcpStream : public AttributeSource {
 public:
  // The bytes that a data callback sees, and after a pause those that wait. nullptr while there are none to be seen.
  // Edits go straight into the buffer.
  virtual Buffer* data(Peer from) = 0;
  // Lets what `from` sends go on after a pause, with the bytes that wait. Nothing happens where it does not
  // wait.
  virtual void continue_stream(Peer from) = 0;
  // Closes the connection when what was written to it has been sent; `details` is for logs. At most once. It may call
  // on_downstream_connection_close.
  virtual void close(std::string_view details) = 0;
};

// TcpContext is one connection's context in a guest. Owned by its WorkerPlugin; ends with destroy(), after which the
// pointer must not be used.
//
// kPause: the filters that follow do not see the bytes, which wait in the buffer; the next callback of that direction
// sees them again, with those that have come since. When the guest closed the connection or trapped (and the policy is
// to refuse), close() has been called and the answer is kPause.
class TcpContext {
 public:
  // Before any byte is read. kPause: until TcpStream::continue_stream(Peer::kDownstream).
  abi::Action on_new_connection();
  // TcpStream::data() of that peer has the bytes to see, `size` of them. `end_of_stream`: its last byte is among them,
  // or came before.
  abi::Action on_downstream_data(size_t size, bool end_of_stream);
  abi::Action on_upstream_data(size_t size, bool end_of_stream);
  // The connection to that side is closed, or its last byte has come.
  void on_downstream_connection_close(abi::PeerType peer);
  void on_upstream_connection_close(abi::PeerType peer);
  // Whether the callback has to be called: false if the guest does not export it, so that data need not be kept for it.
  // True also for a connection that is to be refused and has not been.
  bool wants_downstream_data() const;
  bool wants_upstream_data() const;

  // The guest's on_done, on_log and on_delete, in Envoy's order.
  void destroy();

 protected:
  TcpContext() = default;
  ~TcpContext() = default;
};

}  // namespace inlay::host
