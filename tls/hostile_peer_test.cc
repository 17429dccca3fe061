// SPDX-License-Identifier: Apache-2.0
// A peer that does with OpenSSL what no TlsConnection would do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tls/test_certificates.h"
#include "tls/tls_connection.h"

namespace inlay::tls {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests only

struct Wire final : net::ConnectionHandler {
  std::unique_ptr<net::Connection> connection;
  std::string received;
  bool closed = false;
  std::string detail;

  void on_connected() override { connection->resume_reading(); }
  void on_data(Buffer& data, bool) override {
    received += data.to_string();
    data.clear();
  }
  void on_above_write_watermark() override {}
  void on_below_write_watermark() override {}
  void on_closed(net::CloseReason, std::string_view text) override {
    closed = true;
    detail = std::string(text);
  }
};

class HostilePeer : public ::testing::Test {
 protected:
  HostilePeer() : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_.get())) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
    config::DownstreamTls config;
    const testing::TestAuthority authority("CA");
    const testing::TestCertificate certificate = authority.issue({.dns = {"a.example"}});
    config.certificates = {{certificate.chain, certificate.key, "", ""}};
    auto server_context = ServerContext::create(config, Stats(metrics_, "listener.a.")).value();
    listener_ = net::listen(loop_, {"127.0.0.1", 0}, [this, server_context](auto plain) {
                  server_.connection = accept(loop_, std::move(plain), server_context);
                  server_.connection->set_handler(&server_);
                  server_.connection->resume_reading();
                }).value();
    peer_.connection = net::connect(loop_, listener_->address(), 5s, peer_);
  }

  template <class Done>
  bool turn_until(Done done) {
    for (int i = 0; i < 20000 && !done(); ++i) loop_.run_once(5ms);
    return done();
  }
  // What came goes to OpenSSL, what it has to say goes out.
  void exchange() {
    BIO_write(SSL_get_rbio(ssl_.get()), peer_.received.data(), static_cast<int>(peer_.received.size()));
    peer_.received.clear();
    SSL_do_handshake(ssl_.get());
    send();
  }
  void send() {
    char* text = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &text);
    if (size > 0) peer_.connection->write(std::string_view(text, static_cast<size_t>(size)));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
  }

  net::EventLoop loop_;
  stats::MetricStore metrics_;
  SslContextPtr context_;
  SslPtr ssl_;
  Wire server_, peer_;
  std::unique_ptr<net::Listener> listener_;
};

// Each key update that asks for one is answered by a record, and this peer reads none of them.
TEST_F(HostilePeer, KeyUpdatesWithoutEndAreRefused) {
  ASSERT_TRUE(turn_until([&] {
    exchange();
    return SSL_is_init_finished(ssl_.get()) == 1 && server_.connection && server_.connection->tls() != nullptr;
  }));
  peer_.connection->pause_reading();
  server_.connection->write(std::string(16 * 1024 * 1024, 'x'));  // fills the sockets
  size_t sent = 0;
  ASSERT_TRUE(turn_until([&] {
    for (int i = 0; i < 100 && !server_.closed; ++i, ++sent) {
      SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
      SSL_do_handshake(ssl_.get());
    }
    send();
    return server_.closed;
  }));
  EXPECT_EQ(server_.detail, "TLS error: too many messages that are to be answered, and no answer is read");
  EXPECT_LT(sent, 10'000u);
}

TEST_F(HostilePeer, KeyUpdatesWhoseAnswersAreReadAreFine) {
  ASSERT_TRUE(turn_until([&] {
    exchange();
    return SSL_is_init_finished(ssl_.get()) == 1 && server_.connection && server_.connection->tls() != nullptr;
  }));
  for (int i = 0; i < 50; ++i) {
    for (int k = 0; k < 100; ++k) {
      SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
      ASSERT_EQ(SSL_write(ssl_.get(), "x", 1), 1);
    }
    send();
    loop_.run_once(5ms);
  }
  EXPECT_TRUE(turn_until([&] { return server_.received.size() == 5000; }));
  EXPECT_FALSE(server_.closed);
}

}  // namespace
}  // namespace inlay::tls
