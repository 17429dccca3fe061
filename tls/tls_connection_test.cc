// SPDX-License-Identifier: Apache-2.0
// TLS over real sockets on loopback: both roles are ours, certificates are made on the spot.
#include "tls/tls_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer_memory.h"
#include "tls/test_certificates.h"

namespace inlay::tls {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests only
using ::testing::HasSubstr;
using testing::TestAuthority;
using testing::TestCertificate;

// Peer is one end; it records what it hears.
struct Peer final : net::ConnectionHandler {
  std::unique_ptr<net::Connection> connection;
  std::string received;
  bool connected = false;
  bool ended = false;
  bool closed = false;
  net::CloseReason reason = net::CloseReason::kLocal;
  std::string detail;
  bool pause_after_data = false;
  bool drop_on_data = false;  // destroys the connection inside of the callback
  int above = 0;
  int below = 0;

  void on_connected() override { connected = true; }
  void on_data(Buffer& data, bool end) override {
    received += data.to_string();
    data.clear();
    ended = ended || end;
    if (pause_after_data) connection->pause_reading();
    if (drop_on_data) connection.reset();
  }
  void on_above_write_watermark() override { ++above; }
  void on_below_write_watermark() override { ++below; }
  void on_closed(net::CloseReason why, std::string_view text) override {
    closed = true;
    reason = why;
    detail = std::string(text);
  }
};

config::TlsCertificate pem(const TestCertificate& certificate) {
  return {certificate.chain, certificate.key, "", ""};
}

class TlsConnectionTest : public ::testing::Test {
 protected:
  TlsConnectionTest() {
    server_config.certificates = {
        pem(authority.issue({.dns = {"idp.example", "*.apps.example"}, .ip = {"127.0.0.1"}}))};
    client_config.sni = "idp.example";
    client_config.validation.emplace();
    client_config.validation->trusted_ca = authority.pem();
  }

  // Makes both ends; the handshake is under way.
  void start() {
    auto server_context = ServerContext::create(server_config, Stats(metrics, "listener.a."));
    ASSERT_TRUE(server_context) << server_context.error().to_string();
    if (!client_context) {
      auto made = ClientContext::create(client_config, Stats(metrics, "cluster.a."));
      ASSERT_TRUE(made) << made.error().to_string();
      client_context = *made;
    }
    listener = std::move(net::listen(loop, {"127.0.0.1", 0}, [this, context = *server_context](auto plain) {
                           server.connection = accept(loop, std::move(plain), context);
                           server.connection->set_handler(&server);
                           server.connection->resume_reading();
                         }).value());
    client.connection = connect(loop, listener->address(), 5s, client, client_context,
                                client_context->server_name("host.apps.example"));
  }

  template <class Done>
  bool turn_until(Done done) {
    for (int i = 0; i < 20000 && !done(); ++i) loop.run_once(5ms);
    return done();
  }
  bool handshaken() {
    return turn_until([&] { return client.connected && server.connection && server.connection->tls() != nullptr; });
  }
  int64_t metric(const std::string& name) {
    return stats::MetricStore::value(*metrics.define(abi::MetricType::kCounter, name));
  }
  // The handshake fails, for the reason that the client then gives.
  std::string refusal() {
    start();
    EXPECT_TRUE(turn_until([&] { return client.closed; }));
    EXPECT_FALSE(client.connected);
    EXPECT_EQ(client.reason, net::CloseReason::kConnectFailed);
    return client.detail;
  }

  TestAuthority authority{"Test CA"};
  config::DownstreamTls server_config;
  config::UpstreamTls client_config;
  stats::MetricStore metrics;
  net::EventLoop loop;
  Peer server;
  Peer client;
  std::shared_ptr<ClientContext> client_context;
  std::unique_ptr<net::Listener> listener;
};

TEST_F(TlsConnectionTest, CarriesBytesBothWaysAndTheEnd) {
  start();
  client.connection->write("early ");  // waits for the handshake
  ASSERT_TRUE(handshaken());
  client.connection->resume_reading();
  client.connection->write("and late");
  server.connection->write("answer");
  ASSERT_TRUE(turn_until([&] { return server.received == "early and late" && client.received == "answer"; }));
  client.connection->shutdown_write();
  ASSERT_TRUE(turn_until([&] { return server.ended; }));
  server.connection->write(" after the end");  // half-closed: the other way is open still
  ASSERT_TRUE(turn_until([&] { return client.received == "answer after the end"; }));
  server.connection->close(net::Connection::Close::kAfterFlush);
  ASSERT_TRUE(turn_until([&] { return client.ended; }));
  EXPECT_FALSE(client.closed);
  EXPECT_EQ(metric("cluster.a.ssl.handshake"), 1);
  EXPECT_EQ(metric("listener.a.ssl.handshake"), 1);
  EXPECT_EQ(metric("cluster.a.ssl.connection_error"), 0);
}

// What waits for the handler waits in the kernel, encrypted, and not here; also when it comes in many small records.
TEST_F(TlsConnectionTest, NothingIsReceivedBehindWhatIsLeft) {
  struct Sipper final : net::ConnectionHandler {
    void on_data(Buffer& data, bool) override {
      most = std::max(most, data.size());
      const size_t n = std::min<size_t>(10, data.size());
      taken += n;
      data.drain(n);
      connection->pause_reading();
    }
    void on_closed(net::CloseReason, std::string_view) override {}
    net::Connection* connection = nullptr;
    size_t taken = 0;
    size_t most = 0;
  } sipper;
  start();
  ASSERT_TRUE(handshaken());
  sipper.connection = server.connection.get();
  server.connection->set_handler(&sipper);
  for (int i = 0; i < 20'000; ++i) client.connection->write("a record of its own");
  client.connection->write(std::string(1 << 20, 'x'));
  const int64_t before = block_count().live;
  for (size_t i = 1; i <= 200; ++i) {
    ASSERT_TRUE(turn_until([&] {
      server.connection->resume_reading();
      return sipper.taken >= 10 * i;
    }));
  }
  EXPECT_LE(sipper.most, Buffer::kBlockSize);
  EXPECT_LE(block_count().live, before + 4) << "of both ends; the client's are fewer and fewer";
}

TEST_F(TlsConnectionTest, SaysWhatTheHandshakeCameTo) {
  server_config.alpn = {"http/1.1"};
  client_config.alpn = {"spdy/1", "http/1.1"};
  start();
  ASSERT_TRUE(handshaken());
  EXPECT_EQ(server.connection->tls()->version, "TLSv1.3");
  EXPECT_EQ(server.connection->tls()->server_name, "idp.example");
  EXPECT_EQ(client.connection->tls()->alpn, "http/1.1");
  EXPECT_EQ(client.connection->tls()->peer.subject, "CN=leaf");
  EXPECT_EQ(client.connection->tls()->peer.dns_name, "idp.example");
  EXPECT_EQ(client.connection->tls()->peer_digest.size(), 64u);
  EXPECT_FALSE(server.connection->tls()->mutual);
}

TEST_F(TlsConnectionTest, MovesMegabytesThroughASlowReaderWithBoundedMemory) {
  start();
  ASSERT_TRUE(handshaken());
  client.connection->set_write_watermark(256 * 1024);
  server.pause_after_data = true;
  const std::string piece(64 * 1024, 'x');
  size_t sent = 0;
  size_t most_unsent = 0;
  constexpr size_t kTotal = 20 * 1024 * 1024;
  ASSERT_TRUE(turn_until([&] {
    while (sent < kTotal && client.above == client.below) {
      client.connection->write(piece);
      sent += piece.size();
      most_unsent = std::max(most_unsent, client.connection->unsent());
    }
    server.connection->resume_reading();
    return server.received.size() == kTotal;
  }));
  EXPECT_GT(client.above, 0);
  EXPECT_LT(most_unsent, 512u * 1024);
}

TEST_F(TlsConnectionTest, DeliversWhatWaitsInTheCipherWhenReadingIsResumed) {
  start();
  ASSERT_TRUE(handshaken());
  client.connection->pause_reading();
  server.connection->write("a");
  server.connection->write("b");
  for (int i = 0; i < 20; ++i) loop.run_once(1ms);
  EXPECT_EQ(client.received, "");
  client.pause_after_data = true;
  client.connection->resume_reading();
  ASSERT_TRUE(turn_until([&] { return client.received == "a"; }));
  client.connection->resume_reading();
  ASSERT_TRUE(turn_until([&] { return client.received == "ab"; }));
}

TEST_F(TlsConnectionTest, ADestroyedConnectionIsNotTouched) {
  start();
  ASSERT_TRUE(handshaken());
  server.drop_on_data = true;
  client.connection->resume_reading();
  client.connection->write(std::string(100'000, 'x'));
  ASSERT_TRUE(turn_until([&] { return server.connection == nullptr; }));
  ASSERT_TRUE(turn_until([&] { return client.closed || client.ended; }));
}

TEST_F(TlsConnectionTest, ResumesASession) {
  start();
  ASSERT_TRUE(handshaken());
  client.connection->resume_reading();
  server.connection->write("x");  // the tickets come before it
  ASSERT_TRUE(turn_until([&] { return client.received == "x"; }));
  client.connection->close(net::Connection::Close::kAfterFlush);
  client = Peer();
  server = Peer();
  // The second listener has ticket keys of its own: that is the fallback, a whole handshake.
  client.connection = connect(loop, listener->address(), 5s, client, client_context, "idp.example");
  ASSERT_TRUE(handshaken());
  EXPECT_EQ(metric("cluster.a.ssl.session_reused"), 1);
  EXPECT_EQ(metric("listener.a.ssl.session_reused"), 1);
}

TEST_F(TlsConnectionTest, RefusesAnAuthorityThatItDoesNotTrust) {
  client_config.validation->trusted_ca = TestAuthority("Another CA").pem();
  EXPECT_THAT(refusal(), HasSubstr("TLS error: certificate verify failed: unable to get local issuer certificate"));
  EXPECT_EQ(metric("cluster.a.ssl.fail_verify_error"), 1);
  EXPECT_EQ(metric("cluster.a.ssl.connection_error"), 0) << "as in Envoy";
  ASSERT_TRUE(turn_until([&] { return server.closed; }));
  EXPECT_THAT(server.detail, HasSubstr("TLS error"));
  EXPECT_EQ(metric("listener.a.ssl.connection_error"), 1);
}

TEST_F(TlsConnectionTest, RefusesAnExpiredCertificateUnlessItIsAllowed) {
  server_config.certificates = {pem(authority.issue({.dns = {"idp.example"}, .expired = true}))};
  EXPECT_THAT(refusal(), HasSubstr("certificate has expired"));
  client_config.validation->allow_expired = true;
  client = Peer();
  client_context.reset();
  start();
  EXPECT_TRUE(handshaken());
}

TEST_F(TlsConnectionTest, MatchesNames) {
  using Type = config::TlsValidation::SubjectAltName::Type;
  using Kind = config::StringMatcher::Kind;
  const auto accepts = [&](Type type, Kind kind, const std::string& value) {
    client_config.validation->subject_alt_names = {{type, {kind, value, false}}};
    client = Peer();
    server = Peer();
    client_context.reset();
    start();
    EXPECT_TRUE(turn_until([&] { return client.connected || client.closed; }));
    return client.connected;
  };
  EXPECT_TRUE(accepts(Type::kDns, Kind::kExact, "IDP.example"));
  EXPECT_TRUE(accepts(Type::kDns, Kind::kExact, "a.apps.example"));
  EXPECT_TRUE(accepts(Type::kDns, Kind::kSuffix, ".example"));
  EXPECT_TRUE(accepts(Type::kIpAddress, Kind::kExact, "127.0.0.1"));
  EXPECT_FALSE(accepts(Type::kDns, Kind::kExact, "a.b.apps.example"));
  EXPECT_FALSE(accepts(Type::kDns, Kind::kExact, "apps.example"));
  EXPECT_FALSE(accepts(Type::kUri, Kind::kPrefix, "spiffe://"));
  EXPECT_THAT(client.detail, HasSubstr("its names: DNS idp.example, DNS *.apps.example, IP_ADDRESS 127.0.0.1"));
  EXPECT_EQ(metric("cluster.a.ssl.fail_verify_san"), 3);
}

TEST_F(TlsConnectionTest, ComparesTheCertificateWithTheNameThatWasAskedFor) {
  client_config.auto_sni_san_validation = true;
  client_config.auto_host_sni = true;  // host.apps.example
  start();
  EXPECT_TRUE(handshaken());
  EXPECT_EQ(server.connection->tls()->server_name, "host.apps.example");
  client_config.auto_host_sni = false;
  client_config.sni = "elsewhere.example";
  client = Peer();
  client_context.reset();
  EXPECT_THAT(refusal(), HasSubstr("the certificate is not for elsewhere.example"));
}

TEST_F(TlsConnectionTest, TheNameThatWasAskedForReplacesTheNamesOfTheConfiguration) {
  client_config.auto_sni_san_validation = true;
  client_config.validation->subject_alt_names = {{config::TlsValidation::SubjectAltName::Type::kDns, {}}};
  client_config.validation->subject_alt_names[0].matcher.value = "elsewhere.example";
  start();
  EXPECT_TRUE(handshaken());
}

TEST_F(TlsConnectionTest, AHostWithoutANameIsAskedForTheConfiguredOne) {
  client_config.auto_host_sni = true;
  const auto context = ClientContext::create(client_config, Stats(metrics, "cluster.a.")).value();
  EXPECT_EQ(context->server_name("host.example"), "host.example");
  EXPECT_EQ(context->server_name(""), "idp.example");
}

TEST_F(TlsConnectionTest, ANameThatIsToBeVerifiedAndIsNotThereIsNoLicenceToAcceptAny) {
  client_config.auto_sni_san_validation = true;
  client_config.sni = "";
  EXPECT_THAT(refusal(), HasSubstr("there is no name to compare with"));
  EXPECT_EQ(metric("cluster.a.ssl.fail_verify_san"), 1);
}

TEST_F(TlsConnectionTest, OfSeveralCertificatesTheServerShowsTheOneForTheNameThatIsAskedFor) {
  const auto named = [&](const char* subject, std::vector<std::string> dns) {
    return pem(authority.issue({.dns = std::move(dns)}, subject));
  };
  server_config.certificates = {named("first", {"first.example"}), named("wild", {"*.apps.example"}),
                                named("exact", {"one.apps.example"}), named("again", {"one.apps.example"})};
  const auto shown_for = [&](const std::string& name) {
    client_config.sni = name;
    client = Peer();
    server = Peer();
    client_context.reset();
    start();
    EXPECT_TRUE(handshaken());
    return client.connection->tls()->peer.subject;
  };
  EXPECT_EQ(shown_for("first.example"), "CN=first");
  EXPECT_EQ(shown_for("One.Apps.Example"), "CN=exact");
  EXPECT_EQ(shown_for("two.apps.example"), "CN=wild");
  EXPECT_EQ(shown_for("unknown.example"), "CN=first");
  EXPECT_EQ(shown_for(""), "CN=first");
}

TEST_F(TlsConnectionTest, AnUnknownCipherSuiteIsAnErrorAndNotAWeakerList) {
  client_config.cipher_suites = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES999-GCM";
  const auto made = ClientContext::create(client_config, Stats(metrics, "cluster.a."));
  ASSERT_FALSE(made);
  EXPECT_EQ(
      made.error().message,
      "tls_params.cipher_suites: OpenSSL has no cipher suite of TLS 1.2 or below called 'ECDHE-ECDSA-AES999-GCM'");
  client_config.cipher_suites = "HIGH:!aNULL:-SHA1:@STRENGTH";
  EXPECT_TRUE(ClientContext::create(client_config, Stats(metrics, "cluster.a.")));
}

TEST_F(TlsConnectionTest, PinsCertificates) {
  client_config.validation->certificate_hashes = {std::string(32, 'x')};
  EXPECT_THAT(refusal(), HasSubstr("hashes"));
  EXPECT_EQ(metric("cluster.a.ssl.fail_verify_cert_hash"), 1);
}

TEST_F(TlsConnectionTest, AsksTheClientForItsCertificate) {
  server_config.validation.emplace();
  server_config.validation->trusted_ca = authority.pem();
  server_config.require_client_certificate = true;
  client_config.certificates = {pem(authority.issue({.uri = {"spiffe://mesh/ns/a"}}, "client"))};
  start();
  ASSERT_TRUE(handshaken());
  EXPECT_TRUE(server.connection->tls()->mutual);
  EXPECT_EQ(server.connection->tls()->peer.uri_name, "spiffe://mesh/ns/a");
  EXPECT_EQ(server.connection->tls()->peer.subject, "CN=client");

  client_config.certificates.clear();
  client = Peer();
  server = Peer();
  client_context.reset();
  start();
  ASSERT_TRUE(turn_until([&] { return server.closed; }));
  EXPECT_THAT(server.detail, HasSubstr("peer did not return a certificate"));
  EXPECT_EQ(metric("listener.a.ssl.fail_verify_no_cert"), 1);
  EXPECT_EQ(metric("listener.a.ssl.connection_error"), 0);
}

TEST_F(TlsConnectionTest, RefusesClientsThatNameNoServer) {
  server_config.require_sni = true;
  client_config.sni = "";
  start();
  EXPECT_TRUE(turn_until([&] { return client.closed && server.closed; }));
}

TEST_F(TlsConnectionTest, APeerWithoutTlsIsAnErrorAndNotAHang) {
  listener = std::move(net::listen(loop, {"127.0.0.1", 0}, [this](auto plain) {
                         server.connection = std::move(plain);
                         server.connection->set_handler(&server);
                         server.connection->write("HTTP/1.1 400 Bad Request\r\n\r\n");
                       }).value());
  auto context = ClientContext::create(client_config, Stats(metrics, "cluster.a."));
  ASSERT_TRUE(context);
  client.connection = connect(loop, listener->address(), 5s, client, *context, "");
  ASSERT_TRUE(turn_until([&] { return client.closed; }));
  EXPECT_EQ(client.reason, net::CloseReason::kConnectFailed);
  EXPECT_EQ(client.detail, "TLS error: wrong version number");
}

TEST_F(TlsConnectionTest, ASilentPeerTimesOut) {
  listener = std::move(
      net::listen(loop, {"127.0.0.1", 0}, [this](auto plain) { server.connection = std::move(plain); }).value());
  auto context = ClientContext::create(client_config, Stats(metrics, "cluster.a."));
  ASSERT_TRUE(context);
  client.connection = connect(loop, listener->address(), 50ms, client, *context, "");
  ASSERT_TRUE(turn_until([&] { return client.closed; }));
  EXPECT_EQ(client.reason, net::CloseReason::kConnectTimeout);

  server_config.handshake_timeout = 50ms;
  auto server_context = ServerContext::create(server_config, Stats(metrics, "listener.a."));
  ASSERT_TRUE(server_context);
  Peer silent;
  server = Peer();
  listener = std::move(net::listen(loop, {"127.0.0.1", 0}, [this, context = *server_context](auto plain) {
                         server.connection = accept(loop, std::move(plain), context);
                         server.connection->set_handler(&server);
                       }).value());
  silent.connection = net::connect(loop, listener->address(), 5s, silent);
  ASSERT_TRUE(turn_until([&] { return server.closed; }));
  EXPECT_EQ(server.detail, "TLS error: the handshake took too long");
}

TEST(DnsNames, WildcardsStandForOneLabel) {
  EXPECT_TRUE(dns_name_matches("a.example", "A.EXAMPLE"));
  EXPECT_TRUE(dns_name_matches("*.example.com", "a.example.com"));
  EXPECT_FALSE(dns_name_matches("*.example.com", "example.com"));
  EXPECT_FALSE(dns_name_matches("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(dns_name_matches("*.example.com", ".example.com"));
  EXPECT_FALSE(dns_name_matches("*.com", "example.com"));
  EXPECT_FALSE(dns_name_matches("a.*.com", "a.b.com"));
}

}  // namespace
}  // namespace inlay::tls
