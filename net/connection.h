// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connection: a stream of bytes, over TCP or over a pipe (a Unix domain socket), on an EventLoop, with buffered writes,
// back-pressure and half-close; and Listener, which accepts them. Loop thread only. A connection that is idle holds no
// block of memory: one is taken when bytes come. TLS is another Connection around one (tls/tls_connection.h), a chain
// of network filters another again.
//
//     class Echo : public ConnectionHandler {
//      public:
//       explicit Echo(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
//         connection_->set_handler(this);
//         connection_->resume_reading();
//       }
//       void on_data(Buffer& data, bool end) override {
//         connection_->write(data);
//         if (end) connection_->close(Connection::Close::kAfterFlush);  // no callback follows
//       }
//       void on_closed(CloseReason, std::string_view) override {}  // the socket is closed already
//
//      private:
//       std::unique_ptr<Connection> connection_;
//     };

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/buffer.h"
#include "base/result.h"
#include "net/client_limit.h"
#include "net/event_loop.h"

namespace inlay::net {

// CloseReason: why a connection ended that its handler has not closed itself.
enum class CloseReason : uint8_t {
  kLocal,        // this process closed it below its handler, as a network filter does
  kRemoteReset,  // the peer's RST
  kBroken,       // another error while open
  kConnectFailed,
  kConnectTimeout,
};

// ConnectionHandler is told what happens on a Connection, on the loop's thread. It may close or destroy the connection
// inside of any call.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  // Of connect(), and of TLS when its handshake is done.
  virtual void on_connected() {}
  // `data` is what came. A handler that does not drain it pauses reading: the rest stays, nothing is received behind
  // it, and it comes again when reading is resumed. `end` says that the peer has sent its last byte (FIN).
  virtual void on_data(Buffer& data, bool end) = 0;
  // The peer has sent its last byte (FIN), and bytes before that are not read, since reading is paused. May come again.
  virtual void on_peer_closing() {}
  // Unsent bytes rose over the high watermark, or fell below the low one (half of it).
  virtual void on_above_write_watermark() {}
  virtual void on_below_write_watermark() {}
  // The connection is gone: the last call. Not made after a close() by the handler. `detail` is for logs.
  virtual void on_closed(CloseReason reason, std::string_view detail) = 0;
};

// TlsInfo is what a TLS handshake came to, for properties and logs.
struct TlsInfo {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // OpenSSL's name
  std::string server_name;  // SNI, as the client sent it; empty where the listener does not tell it
  std::string alpn;         // empty: none was agreed on
  bool mutual = false;      // both sides have shown a certificate, and the peer's was verified
  struct Certificate {
    std::string subject;   // RFC 2253; empty: there is no certificate
    std::string dns_name;  // the first of its kind
    std::string uri_name;
  };
  Certificate local;
  Certificate peer;
  std::string peer_digest;  // SHA-256 in hexadecimal
};

class Connection {
 public:
  // Destroying a connection closes it, as close(kNow) does.
  virtual ~Connection() = default;
  // The handler outlives the connection, or is replaced before it ends.
  virtual void set_handler(ConnectionHandler* handler) = 0;
  // Reading starts paused. resume_reading() delivers bytes that wait already on the next turn of the loop.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  // Takes all of `data`. It goes to the kernel when the event that is being handled is done (so that a head and a body
  // that are written one after the other leave in one system call) or when kFlushAt bytes wait; what the kernel does
  // not take goes when it can. Nothing is sent for empty data, but network filters are told of it. Never calls
  // on_closed or on_data from inside.
  static constexpr size_t kFlushAt = 64 * 1024;
  virtual void write(Buffer& data) = 0;
  virtual void write(std::string_view data) = 0;
  // Bytes that the kernel has not taken yet.
  virtual size_t unsent() const = 0;
  // Bytes of unsent() above which the handler is told. What is unsent already counts, so that
  // on_above_write_watermark may come from inside of this call.
  virtual void set_write_watermark(size_t high) = 0;
  // Sends FIN after what is unsent; reading goes on.
  virtual void shutdown_write() = 0;
  enum class Close : uint8_t { kNow, kAfterFlush, kReset };
  // kNow drops what is unsent; so does kReset, which tells the peer so, with RST. kAfterFlush sends it, then FIN, and
  // gives the peer set_linger() of time to close its side (what it still sends is dropped), so that a reset does not
  // overtake the last bytes. No callback follows any, and the connection may be destroyed at once: the loop sees to the
  // rest.
  virtual void close(Close how) = 0;
  virtual void set_linger(std::chrono::milliseconds longest) = 0;  // 1 s by default
  // How long what is unsent may wait without progress before that; set_linger() by default.
  virtual void set_flush_timeout(std::chrono::milliseconds longest) = 0;
  // Of a pipe both are the listener's, as in Envoy; of a connection to a pipe the local one has no host.
  virtual const Address& local_address() const = 0;
  virtual const Address& remote_address() const = 0;
  // The loop has seen that something came which it has not handed over: bytes, the end, or a failure.
  virtual bool has_news() const { return false; }
  // nullptr for a connection without TLS, and before its handshake is done.
  virtual const TlsInfo* tls() const { return nullptr; }
  // The same, shared, to be kept when the connection is gone.
  virtual std::shared_ptr<const TlsInfo> shared_tls() const { return nullptr; }
  // A number that no other connection of this process has, but for one that wraps this one.
  uint64_t id();

 protected:
  void set_id(uint64_t id) { id_ = id; }

 private:
  uint64_t id_ = 0;  // 0: not yet
};

// Posts `done` to the loop once no connection is left that close(kAfterFlush) still sees to: before that, ending the
// loop would lose the last bytes of what was answered. Each ends when its peer has closed its side or, without
// progress, after set_linger().
void after_flushes(EventLoop& loop, std::function<void()> done);

// Starts to connect; on_connected or on_closed follows, never from inside of this call.
std::unique_ptr<Connection> connect(EventLoop& loop, const Address& address, std::chrono::milliseconds timeout,
                                    ConnectionHandler& handler);

// Listener accepts on an address.
class Listener {
 public:
  virtual ~Listener() = default;
  // The port that is bound, for port 0.
  virtual const Address& address() const = 0;
  // The listening socket, which remains the listener's; it does not block.
  virtual int socket() const = 0;
  // Closes the listening socket. Connections live on.
  virtual void stop_accepting() = 0;
};
using AcceptHandler = std::function<void(std::unique_ptr<Connection>)>;
// Who else may listen on the address. Sockets that share it (SO_REUSEPORT) each get a part of the connections, so a
// second program that did so unnoticed would take every other request.
enum class Sharing : uint8_t { kAlone, kShared };
// Errors: kIo with the address and what the system said ("address already in use" says who could be holding it).
// A client that `admission` does not let in is closed at once.
// After the system has refused a connection (no descriptors, no memory) it accepts again after 100 ms; `on_error` hears
// what the system said, at most once a second.
Result<std::unique_ptr<Listener>> listen(EventLoop& loop, const Address& address, AcceptHandler on_accept,
                                         std::function<void(std::string_view)> on_error = {},
                                         Sharing sharing = Sharing::kAlone, Admission admission = {});
// The same on a socket that listens already (net/listening_socket.h).
class ListeningSocket;
Result<std::unique_ptr<Listener>> listen(EventLoop& loop, std::shared_ptr<const ListeningSocket> socket,
                                         AcceptHandler on_accept, std::function<void(std::string_view)> on_error = {},
                                         Admission admission = {});

}  // namespace inlay::net
