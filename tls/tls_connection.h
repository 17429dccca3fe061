// SPDX-License-Identifier: Apache-2.0
#pragma once

// TlsConnection: a net::Connection that speaks TLS over another one. What is written goes out encrypted, what comes is
// decrypted before the handler sees it; on_connected comes when the handshake is done and the peer's certificate is
// good. Bytes that are written before that wait. Loop thread only.
//
//     auto connection = tls::connect(loop, address, 5s, handler, context, context->server_name("idp.example"));

#include <chrono>
#include <memory>
#include <string>

#include "base/buffer.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "tls/context.h"

namespace inlay::tls {

// Starts to connect. `timeout` bounds connecting and the handshake together. A failed handshake is on_closed with
// kConnectFailed and "TLS error: ...", which says what is wrong with the certificate.
std::unique_ptr<net::Connection> connect(net::EventLoop& loop, const Address& ip_address,
                                         std::chrono::milliseconds timeout, net::ConnectionHandler& handler,
                                         std::shared_ptr<const ClientContext> context, std::string server_name);

// The server's side of an accepted connection. The handler, which set_handler() names, hears nothing of the handshake;
// when it fails, or is not done within the context's handshake_timeout, on_closed comes with kBroken.
std::unique_ptr<net::Connection> accept(net::EventLoop& loop, std::unique_ptr<net::Connection> plain,
                                        std::shared_ptr<const ServerContext> context);

class TlsConnection final : public net::Connection, private net::ConnectionHandler {
 public:
  TlsConnection(net::EventLoop& loop, std::shared_ptr<const Context> context, bool client);
  ~TlsConnection() override;

  void start_client(const Address& address, std::chrono::milliseconds timeout, net::ConnectionHandler& handler,
                    const ClientContext& context, std::string server_name);
  void start_server(std::unique_ptr<net::Connection> plain, std::chrono::milliseconds timeout);

  // net::Connection
  void set_handler(net::ConnectionHandler* handler) override { handler_ = handler; }
  void pause_reading() override;
  void resume_reading() override;
  void write(Buffer& data) override;
  void write(std::string_view data) override;
  size_t unsent() const override { return waiting_.size() + inner_->unsent(); }
  void set_write_watermark(size_t high) override;
  void shutdown_write() override;
  void close(Close how) override;
  void set_linger(std::chrono::milliseconds longest) override { inner_->set_linger(longest); }
  void set_flush_timeout(std::chrono::milliseconds longest) override { inner_->set_flush_timeout(longest); }
  bool has_news() const override { return inner_->has_news() || !cipher_in_.empty() || !plain_in_.empty(); }
  const Address& local_address() const override { return inner_->local_address(); }
  const Address& remote_address() const override { return inner_->remote_address(); }
  const net::TlsInfo* tls() const override { return state_ == State::kHandshake ? nullptr : info_.get(); }
  std::shared_ptr<const net::TlsInfo> shared_tls() const override {
    return state_ == State::kHandshake ? nullptr : info_;
  }

  // For the context's callbacks.
  static TlsConnection& of(const SSL& ssl) { return *static_cast<TlsConnection*>(SSL_get_app_data(&ssl)); }
  bool verify_peer(X509_STORE_CTX& store);
  void keep_session(SessionPtr session);

  // For its BIO: encrypted bytes from and to the wire.
  int read_cipher(char* to, size_t size);
  void write_cipher(const char* bytes, size_t size) { cipher_out_.append({bytes, size}); }
  bool wire_ended() const { return inner_ended_; }

 private:
  enum class State : uint8_t { kHandshake, kOpen, kClosed };

  // net::ConnectionHandler, of the connection below
  void on_connected() override;
  void on_data(Buffer& data, bool end) override;
  void on_peer_closing() override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  void drive();
  void handshake();
  void finish_handshake();
  void update_reading();
  void read_plain();
  void deliver_records();
  bool read_record();
  bool nothing_to_read() const;
  void encrypt(Buffer& data);
  void flush();
  void turn();
  void note_above();
  void fail(net::CloseReason reason, std::string detail);
  void count_handshake_fault();
  std::string handshake_fault(int error);
  bool answer();

  const std::shared_ptr<const Context> context_;
  const bool client_;
  SslPtr ssl_;
  std::unique_ptr<net::Connection> inner_;
  net::ConnectionHandler* handler_ = nullptr;
  bool* destroyed_ = nullptr;  // on the stack of the innermost callback
  State state_ = State::kHandshake;
  bool reading_ = false;
  bool inner_reads_ = false;
  bool inner_closing_ = false;  // FIN has come, and bytes before it are not read
  bool inner_ended_ = false;    // FIN, and all before it
  bool end_seen_ = false;       // the peer's last byte was delivered
  bool shutdown_ = false;       // asked for
  bool above_ = false;          // the handler was told
  bool write_failed_ = false;
  size_t high_ = SIZE_MAX;
  size_t answered_ = 0;  // bytes that OpenSSL has sent without our asking and that may still be unsent
  std::string server_name_;
  std::string verify_fault_;
  std::shared_ptr<const net::TlsInfo> info_;
  Buffer cipher_in_;
  Buffer cipher_out_;
  Buffer plain_in_;
  Buffer waiting_;  // written before the handshake was done
  net::DeferredTask turn_task_;
  net::Timer timer_;
};

}  // namespace inlay::tls
