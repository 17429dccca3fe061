// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "proxy/admin/admin_server.h"
#include "proxy/admin/handlers.h"
#include "proxy/admin/stats_page.h"
#include "tls/test_certificates.h"
#include "upstream/test_server.h"

namespace inlay::proxy::admin {
namespace {

using upstream::testing::run_until;

class AdminTest : public ::testing::Test, public AdminTarget {
 protected:
  AdminTest() : bootstrap_(make_bootstrap()), registry_(bootstrap_.clusters, metrics_, nullptr) {
    stats::Counter(metrics_.define(abi::MetricType::kCounter, "http.in.downstream_rq_total")).add(3);
    stats::Counter(metrics_.define(abi::MetricType::kCounter, "wasmcustom.header.injected")).add(2);
    addresses_ = {{"127.0.0.1", 8080}};
  }
  static config::Bootstrap make_bootstrap() {
    config::Bootstrap b;
    b.node.id = "n";
    b.redacted_json = R"({"node": {"id": "n"}})";
    b.listeners.resize(1);
    b.listeners[0].name = "ingress";
    b.clusters.resize(1);
    b.clusters[0].name = "app";
    b.clusters[0].endpoints.resize(1);
    b.clusters[0].endpoints[0].address = {"127.0.0.1", 8081};
    return b;
  }
  ServerState state() const override { return failed_ ? ServerState::kDraining : ServerState::kLive; }
  const config::Bootstrap& bootstrap() const override { return bootstrap_; }
  stats::MetricStore& metrics() override { return metrics_; }
  upstream::ClusterRegistry& clusters() override { return registry_; }
  const std::vector<Address>& listener_addresses() const override { return addresses_; }
  std::string version() const override { return "1.2.3"; }
  size_t concurrency() const override { return 2; }
  std::vector<std::pair<std::string, std::string>> log_levels() const override { return {{"wasm", level_}}; }
  Result<Unit> set_log_level(std::string_view component, std::string_view level) override {
    if (level == "bad") return Error{ErrorCode::kInvalidArgument, "no such level", ""};
    level_ = std::string(component) + "=" + std::string(level);
    return Unit{};
  }
  void fail_health_check(bool fail) override { failed_ = fail; }
  void drain_listeners() override { drained_ = true; }
  void quit() override { quit_ = true; }
  void reopen_logs() override { reopened_ = true; }

  Response get(std::string_view target) { return handle({"GET", target}, *this); }
  Response post(std::string_view target) { return handle({"POST", target}, *this); }

  stats::MetricStore metrics_;
  config::Bootstrap bootstrap_;
  upstream::ClusterRegistry registry_;
  std::vector<Address> addresses_;
  std::string level_ = "info";
  bool failed_ = false, drained_ = false, quit_ = false, reopened_ = false;
};

TEST_F(AdminTest, Ready) {
  EXPECT_EQ(get("/ready").status, 200u);
  EXPECT_EQ(get("/ready").body, "LIVE\n");
  EXPECT_EQ(post("/healthcheck/fail").body, "OK\n");
  EXPECT_EQ(get("/ready").status, 503u);
  EXPECT_EQ(get("/ready").body, "DRAINING\n");
  post("/healthcheck/ok");
  EXPECT_EQ(get("/ready").status, 200u);
}

TEST_F(AdminTest, WhatChangesTheServerNeedsAPost) {
  for (const char* path :
       {"/quitquitquit", "/logging", "/reset_counters", "/drain_listeners", "/reopen_logs", "/healthcheck/fail"}) {
    const Response response = get(path);
    EXPECT_EQ(response.status, 405u) << path;
    EXPECT_EQ(response.body, "Method GET not allowed, POST required.");
  }
  EXPECT_FALSE(quit_ || drained_ || failed_ || reopened_);
  post("/quitquitquit");
  post("/drain_listeners");
  post("/reopen_logs");
  EXPECT_TRUE(quit_ && drained_ && reopened_);
}

// Envoy 1.40 takes them all.
TEST_F(AdminTest, APostOfAnotherSitesPageIsRefused) {
  struct Case {
    std::string_view host, origin, fetch_site;
    bool cross_site;
  };
  for (const Case& c : {
           Case{"127.0.0.1:9901", "", "", false},
           {"inlay.internal:9901", "", "", false},  // curl, or a program
           {"127.0.0.1:9901", "http://127.0.0.1:9901", "same-origin", false},
           {"localhost:9901", "http://localhost:9901", "", false},
           {"[::1]:9901", "", "none", false},
           {"127.0.0.1:9901", "http://evil.example", "", true},
           {"127.0.0.1:9901", "http://127.0.0.1:8080", "same-site", true},
           {"127.0.0.1:9901", "https://127.0.0.1:9901", "", true},
           {"127.0.0.1:9901", "null", "", true},
           {"127.0.0.1:9901", "", "cross-site", true},
           // A name that evil.example's name server says is here.
           {"evil.example:9901", "http://evil.example:9901", "same-origin", true},
           {"evil.example:9901", "", "none", true},
           {"", "http://", "", true},
       }) {
    EXPECT_EQ(is_cross_site({"POST", "/", c.host, c.origin, c.fetch_site}), c.cross_site) << c.host << " " << c.origin;
  }
  const Request post{"POST", "/quitquitquit", "127.0.0.1:9901", "http://evil.example", {}};
  EXPECT_EQ(handle(post, *this).status, 403u);
  EXPECT_FALSE(quit_);
  EXPECT_EQ(handle({"GET", "/ready", "127.0.0.1:9901", {}, "cross-site"}, *this).status, 200u);
}

TEST_F(AdminTest, Stats) {
  EXPECT_EQ(get("/stats?filter=^http").body, "http.in.downstream_rq_total: 3\n");
  EXPECT_EQ(get("/stats?usedonly&filter=(rq_total|injected)$").body,
            "http.in.downstream_rq_total: 3\nwasmcustom.header.injected: 2\n");
  EXPECT_EQ(get("/stats?filter=%5Ewasmcustom").body, "wasmcustom.header.injected: 2\n");
  EXPECT_EQ(get("/stats?filter=(").status, 400u);
  EXPECT_EQ(get("/stats?format=json&filter=^http").body,
            R"({"stats":[{"name":"http.in.downstream_rq_total","value":3}]})");
  EXPECT_EQ(get("/stats?format=xml").status, 400u);
  post("/reset_counters");
  EXPECT_EQ(get("/stats?filter=^http").body, "http.in.downstream_rq_total: 0\n");
}

TEST_F(AdminTest, Prometheus) {
  const Response page = get("/stats/prometheus?filter=(^http|^wasmcustom)");
  EXPECT_EQ(page.body,
            "# TYPE envoy_http_downstream_rq_total counter\n"
            "envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"in\"} 3\n"
            "# TYPE header_injected counter\nheader_injected{} 2\n");
}

// Envoy 1.40 writes such names into its text as they are.
TEST_F(AdminTest, NoNameForgesALine) {
  metrics_.define(abi::MetricType::kCounter, "wasmcustom.a\nserver.live: 1");
  metrics_.define(abi::MetricType::kGauge, "wasmcustom.b\"\\\xff\xc3\xa9\x01");
  metrics_.define(abi::MetricType::kCounter, "wasmcustom.c\xc3\xa9");
  metrics_.define(abi::MetricType::kHistogram, "wasmcustom.d\r\xff");
  EXPECT_EQ(get("/stats?filter=wasmcustom.[abcd]").body,
            "wasmcustom.a\\nserver.live: 1: 0\n"
            "wasmcustom.b\"\\\\xff\xc3\xa9\\x01: 0\n"
            "wasmcustom.c\xc3\xa9: 0\n"
            "wasmcustom.d\\r\\xff: No recorded values\n");
  const std::string json = get("/stats?format=json&filter=wasmcustom.[abcd]").body;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(json.c_str());
  ASSERT_FALSE(document.HasParseError()) << json;
  const auto& stats = document["stats"];
  EXPECT_STREQ(stats[0]["name"].GetString(), "wasmcustom.a\nserver.live: 1");
  // As in Envoy: of what is no UTF-8, each byte is the character of its number.
  EXPECT_STREQ(stats[1]["name"].GetString(), "wasmcustom.b\"\\\xc3\xbf\xc3\x83\xc2\xa9\x01");
  EXPECT_STREQ(stats[2]["name"].GetString(), "wasmcustom.c\xc3\xa9");
  EXPECT_EQ(get("/stats/prometheus?filter=wasmcustom.[ab]").body,
            "# TYPE a_server_live__1 counter\na_server_live__1{} 0\n# TYPE b______ gauge\nb______{} 0\n");
}

TEST_F(AdminTest, GuestsAddNothingToTheHostsFamilies) {
  bootstrap_.stats_tags = {{"zone", R"((_zone=((.|\n)*)))", {}}};
  stats::Gauge(metrics_.define(abi::MetricType::kGauge, "server.live")).set(1);
  metrics_.define(abi::MetricType::kGauge, "wasmcustom.envoy_server_live_zone=eu");
  metrics_.define(abi::MetricType::kHistogram, "server.took");
  metrics_.define(abi::MetricType::kCounter, "wasmcustom.envoy_server_took_count");
  metrics_.define(abi::MetricType::kCounter, "wasmcustom.mine_zone=a\n");
  const std::string page = get("/stats/prometheus?filter=server|mine").body;
  EXPECT_EQ(page.find("eu"), std::string::npos) << page;
  EXPECT_NE(page.find("\nenvoy_server_live{} 1\n"), std::string::npos) << page;
  EXPECT_EQ(page.find("TYPE envoy_server_took_count"), std::string::npos) << page;
  EXPECT_NE(page.find("mine{zone=\"a\\n\"} 0\n"), std::string::npos) << page;
}

TEST_F(AdminTest, PrometheusHistograms) {
  auto* metric = metrics_.define(abi::MetricType::kHistogram, "h.time");
  stats::MetricStore::record(*metric, 7);
  const std::string body = get("/stats/prometheus?filter=h.time").body;
  EXPECT_NE(body.find("# TYPE envoy_h_time histogram\n"), std::string::npos);
  EXPECT_NE(body.find("envoy_h_time_bucket{le=\"5\"} 0\nenvoy_h_time_bucket{le=\"10\"} 1\n"), std::string::npos);
  EXPECT_NE(body.find("envoy_h_time_bucket{le=\"+Inf\"} 1\nenvoy_h_time_sum{} 7\nenvoy_h_time_count{} 1\n"),
            std::string::npos);
}

// Envoy's own form; tools read it.
TEST_F(AdminTest, HistogramsAreQuantiles) {
  metrics_.define(abi::MetricType::kHistogram, "a.unused");
  auto* metric = metrics_.define(abi::MetricType::kHistogram, "a.time");
  stats::MetricStore::record(*metric, 1);
  EXPECT_EQ(get("/stats?filter=^a").body,
            "a.time: P0(nan,1.05) P25(nan,1.05) P50(nan,1.05) P75(nan,1.05) P90(nan,1.05) P95(nan,1.05) "
            "P99(nan,1.05) P99.5(nan,1.05) P99.9(nan,1.05) P100(nan,1.05)\n"
            "a.unused: No recorded values\n");
  const std::string all = get("/stats").body;
  EXPECT_GT(all.find("a.time: "), all.find("wasmcustom.header.injected: ")) << "histograms come last";
  const std::string json = get("/stats?format=json&filter=^(a|http)").body;
  EXPECT_TRUE(json.starts_with(
      R"({"stats":[{"name":"http.in.downstream_rq_total","value":3},{"histograms":{"supported_quantiles":)"
      R"([0.0,25.0,50.0,75.0,90.0,95.0,99.0,99.5,99.9,100.0],"computed_quantiles":[)"))
      << json;
  EXPECT_NE(json.find(R"({"name":"a.time","values":[{"interval":null,"cumulative":1.05},{"interval":null,)"
                      R"("cumulative":1.05})"),
            std::string::npos);
  EXPECT_NE(json.find(R"({"name":"a.unused","values":[{"interval":null,"cumulative":null},)"), std::string::npos);
}

TEST_F(AdminTest, ClustersListenersAndConfig) {
  EXPECT_NE(get("/clusters").body.find("app::127.0.0.1:8081::health_flags::healthy\n"), std::string::npos);
  EXPECT_NE(get("/clusters?format=json").body.find("\"port_value\": 8081"), std::string::npos);
  EXPECT_EQ(get("/listeners").body, "ingress::127.0.0.1:8080\n");
  EXPECT_NE(get("/listeners?format=json").body.find("\"port_value\": 8080"), std::string::npos);
  EXPECT_NE(get("/config_dump").body.find(R"("bootstrap": {"node": {"id": "n"}})"), std::string::npos);
  EXPECT_NE(get("/server_info").body.find("\"version\": \"inlay/1.2.3\""), std::string::npos);
  EXPECT_NE(get("/memory").body.find("\"allocated\""), std::string::npos);
}

TEST_F(AdminTest, Pipes) {
  addresses_ = {Address::pipe("/run/a.sock")};
  EXPECT_EQ(get("/listeners").body, "ingress::/run/a.sock\n");
  const std::string json = get("/listeners?format=json").body;
  EXPECT_NE(json.find("\"path\": \"/run/a.sock\""), std::string::npos) << json;
  EXPECT_EQ(json.find("port_value"), std::string::npos) << json;
  bootstrap_.clusters[0].endpoints[0].address = Address::pipe("@app");
  upstream::HostSpec host;
  host.address = bootstrap_.clusters[0].endpoints[0].address;
  host.endpoint = &bootstrap_.clusters[0].endpoints[0];
  registry_.at(0).set_hosts(std::make_shared<upstream::HostList>(upstream::HostList{host}));
  EXPECT_NE(get("/clusters").body.find("app::@app::health_flags::healthy\n"), std::string::npos);
  EXPECT_NE(get("/clusters?format=json").body.find("\"path\": \"@app\""), std::string::npos);
}

TEST_F(AdminTest, Logging) {
  EXPECT_EQ(post("/logging").body, "active loggers:\n  wasm: info\n");
  EXPECT_EQ(post("/logging?level=debug").body, "active loggers:\n  wasm: =debug\n");
  EXPECT_EQ(post("/logging?wasm=trace").body, "active loggers:\n  wasm: wasm=trace\n");
  EXPECT_EQ(post("/logging?paths=http:info,wasm:warning").body, "active loggers:\n  wasm: wasm=warning\n");
  EXPECT_EQ(post("/logging?wasm=bad").status, 400u);
}

TEST_F(AdminTest, UnknownPathsGetTheList) {
  const Response response = get("/nope");
  EXPECT_EQ(response.status, 404u);
  EXPECT_NE(response.body.find("/quitquitquit (POST)"), std::string::npos);
  EXPECT_EQ(handle({"DELETE", "/stats"}, *this).status, 405u);
}

// A client on the same loop.
class Client final : public net::ConnectionHandler {
 public:
  Client(net::EventLoop& loop, const Address& address)
      : connection_(net::connect(loop, address, std::chrono::seconds(5), *this)) {
    connection_->resume_reading();
  }
  void send(std::string_view text) { connection_->write(text); }
  void on_data(Buffer& data, bool end) override {
    received += data.to_string();
    data.clear();
    ended = end;
  }
  void on_closed(net::CloseReason, std::string_view) override { ended = true; }
  std::string received;
  bool ended = false;

 private:
  std::unique_ptr<net::Connection> connection_;
};

TEST_F(AdminTest, IdleClientsKeepNobodyOut) {
  net::EventLoop loop;
  auto server = AdminServer::create(loop, {{"127.0.0.1", 0}, {}}, *this);
  ASSERT_TRUE(server);
  constexpr std::string_view kAsk = "GET /ready HTTP/1.1\r\nhost: a\r\n\r\n";
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 256; ++i) {
    idle.push_back(std::make_unique<Client>(loop, (*server)->address()));
    idle.back()->send(kAsk);
    ASSERT_TRUE(run_until(loop, [&] { return idle.back()->received.ends_with("LIVE\n"); })) << i;
  }
  idle[0]->received.clear();
  idle[0]->send(kAsk);
  ASSERT_TRUE(run_until(loop, [&] { return idle[0]->received.ends_with("LIVE\n"); }));
  Client late(loop, (*server)->address());
  late.send(kAsk);
  ASSERT_TRUE(run_until(loop, [&] { return late.received.ends_with("LIVE\n") && idle[1]->ended; }));
  EXPECT_FALSE(idle[0]->ended || idle[2]->ended || idle[255]->ended) << "the one that was used longest ago goes";
}

TEST_F(AdminTest, OverASocket) {
  net::EventLoop loop;
  auto server = AdminServer::create(loop, {{"127.0.0.1", 0}, {}}, *this);
  ASSERT_TRUE(server);
  Client client(loop, (*server)->address());
  client.send("GET /ready HTTP/1.1\r\nhost: a\r\n\r\nHEAD /ready HTTP/1.1\r\nhost: a\r\n\r\n");
  client.send("POST /reset_counters HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc");
  ASSERT_TRUE(run_until(loop, [&] { return client.ended; }));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 OK\r\n")) << client.received;
  EXPECT_NE(client.received.find("\r\n\r\nLIVE\nHTTP/1.1 200 OK\r\n"), std::string::npos) << client.received;
  EXPECT_TRUE(client.received.ends_with("\r\n\r\nOK\n"));

  Client garbage(loop, (*server)->address());
  garbage.send("\x16\x03\x01 hello\r\n\r\n");
  ASSERT_TRUE(run_until(loop, [&] { return garbage.ended; }));
  EXPECT_TRUE(garbage.received.starts_with("HTTP/1.1 400 Bad Request\r\n")) << garbage.received;
}

TEST_F(AdminTest, OnlyAllowedPathsAreAnswered) {
  using Kind = config::StringMatcher::Kind;
  net::EventLoop loop;
  const config::Admin config{{"127.0.0.1", 0}, {{Kind::kExact, "/ready", false}, {Kind::kSuffix, "prometheus", false}}};
  auto server = AdminServer::create(loop, config, *this);
  ASSERT_TRUE(server);
  const auto status = [&](const std::string& line) {
    Client client(loop, (*server)->address());
    client.send(line + " HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    EXPECT_TRUE(run_until(loop, [&] { return client.ended; }));
    return client.received.substr(9, 3);
  };
  EXPECT_EQ(status("GET /ready"), "200");
  EXPECT_EQ(status("GET /stats/prometheus?usedonly"), "200");
  EXPECT_EQ(status("GET /config_dump"), "403");
  EXPECT_EQ(status("POST /quitquitquit?/stats/prometheus"), "403") << "the query does not count";
  EXPECT_FALSE(quit_);
  EXPECT_FALSE(AdminServer::create(loop, {{"127.0.0.1", 0}, {{Kind::kSafeRegex, "(", false}}}, *this));
}

TEST_F(AdminTest, Certificates) {
  EXPECT_EQ(get("/certs").body, "{\n \"certificates\": []\n}\n");
  const tls::testing::TestAuthority authority("CA");
  const auto leaf = authority.issue({.dns = {"a.example"}, .uri = {"spiffe://a"}, .ip = {"127.0.0.1"}});
  bootstrap_.listeners[0].tls.emplace();
  bootstrap_.listeners[0].tls->certificates = {{leaf.chain, leaf.key, "", "/etc/own.pem"}};
  bootstrap_.clusters[0].tls.emplace();
  bootstrap_.clusters[0].tls->validation.emplace();
  bootstrap_.clusters[0].tls->validation->trusted_ca = authority.pem();
  bootstrap_.clusters[0].tls->validation->trusted_ca_file = "<inline>";
  const std::string page = get("/certs").body;
  for (const char* part : {"\"path\": \"/etc/own.pem\"", "\"dns\": \"a.example\"", "\"uri\": \"spiffe://a\"",
                           "\"ip_address\": \"127.0.0.1\"", "\"path\": \"<inline>\"",
                           "\"days_until_expiration\": \"0\"", "\"expiration_time\": \"2"})
    EXPECT_NE(page.find(part), std::string::npos) << part << " in " << page;
  EXPECT_EQ(page.find("PRIVATE KEY"), std::string::npos);
}

}  // namespace
}  // namespace inlay::proxy::admin
