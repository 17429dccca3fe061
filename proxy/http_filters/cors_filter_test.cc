// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/cors_filter.h"

#include <gtest/gtest.h>

#include "proxy/downstream/filter_chain.h"
#include "proxy/downstream/filter_chain_fixture.h"

namespace inlay::proxy::http_filters {
namespace {

using downstream::testing::Factory;
using downstream::testing::Journal;
using downstream::testing::ScriptedFilter;
using downstream::testing::Sink;

class CorsFilterTest : public ::testing::Test {
 protected:
  CorsFilterTest() {
    config::VirtualHost host;
    host.domains = {"*"};
    host.routes.resize(1);
    host.routes[0].match.value = "/";
    host.routes[0].action = config::RouteAction{};
    host.cors.emplace();
    host.cors->allow_origins = {{config::StringMatcher::Kind::kExact, "https://a.test", false}};
    host.cors->allow_methods = "GET";
    host.cors->expose_headers = "x-seen";
    routes_.virtual_hosts.push_back(host);
  }
  config::VirtualHost& host() { return routes_.virtual_hosts[0]; }
  config::CorsPolicy& policy() { return *host().cors; }

  // Sends a request with these fields; the answer's fields of CORS, "passed: " before them where the router gave it.
  std::string ask(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    auto table = router::RouteTable::compile(routes_, [](std::string_view) { return std::optional<size_t>(0); });
    EXPECT_TRUE(table);
    CorsFilterFactory cors({.name = "cors", .routes = *table}, metrics_, listener_.http);
    ScriptedFilter* router = nullptr;
    Factory last([&] {
      auto filter = std::make_unique<ScriptedFilter>("r", journal_);
      router = filter.get();
      return filter;
    });
    downstream::FilterChain chain(loop_, listener_, {&cors, &last});
    Sink sink{journal_};
    sink.chain = &chain;
    sink.finish_at_end = false;
    chain.start(sink);
    http::HeaderMap& request = chain.request_headers();
    for (const auto& [name, value] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {":method", "GET"}, {":path", "/"}, {":authority", "h"}, {"x-forwarded-proto", "http"}})
      request.add(name, value);
    for (const auto& [name, value] : fields) request.set(name, value);
    chain.decode_headers(true);
    std::string text;
    if (journal_.text().find("r.decode_headers") != std::string::npos) {
      text = "passed: ";
      router->callbacks->response_storage().add(":status", "200");
      router->callbacks->encode_headers(true);
    }
    for (const auto& entry : chain.response_headers())
      if (entry.name.starts_with("access-control-"))
        text += std::string(entry.name.substr(15)) + "=" + std::string(entry.value) + " ";
    chain.finish();
    journal_.lines.clear();
    return text;
  }
  std::string preflight(std::string_view origin = "https://a.test") {
    return ask({{":method", "OPTIONS"}, {"origin", origin}, {"access-control-request-method", "PUT"}});
  }

  config::RouteConfiguration routes_;
  config::Listener listener_;
  stats::MetricStore metrics_;
  net::EventLoop loop_;
  Journal journal_;
};

TEST_F(CorsFilterTest, AnswersAPreflight) {
  EXPECT_EQ(preflight(), "allow-origin=https://a.test allow-methods=GET expose-headers=x-seen ");
  policy().allow_methods = "*";
  policy().max_age = "5";
  policy().allow_credentials = true;
  EXPECT_EQ(preflight(),
            "allow-origin=https://a.test allow-credentials=true allow-methods=PUT max-age=5 expose-headers=x-seen ");
}

TEST_F(CorsFilterTest, LetsRequestsPassAndMarksAnswers) {
  EXPECT_EQ(ask({{"origin", "https://a.test"}}), "passed: allow-origin=https://a.test expose-headers=x-seen ");
  EXPECT_EQ(ask({{"origin", "https://b.test"}}), "passed: ");
  EXPECT_EQ(ask({{"origin", ""}}), "passed: ");
  EXPECT_EQ(ask({}), "passed: ");
  EXPECT_EQ(ask({{":method", "OPTIONS"}, {"origin", "https://a.test"}}),
            "passed: allow-origin=https://a.test expose-headers=x-seen ");
}

TEST_F(CorsFilterTest, PreflightsOfOthers) {
  EXPECT_EQ(preflight("https://b.test"), "passed: ");
  policy().forward_not_matching_preflights = false;
  EXPECT_EQ(preflight("https://b.test"), "allow-methods=GET ");
}

TEST_F(CorsFilterTest, OnlyCountsInShadow) {
  policy().enabled = {0, 100};
  EXPECT_EQ(preflight(), "passed: ");
  policy().shadow = {100, 100};
  EXPECT_EQ(preflight(), "passed: ");
  int64_t valid = -1;
  metrics_.for_each([&](const stats::MetricView& m) {
    if (m.name == "http..cors.origin_valid") valid = m.value;
  });
  EXPECT_EQ(valid, 1);
}

TEST_F(CorsFilterTest, TheMostSpecificPolicyOfTheFilterCounts) {
  config::CorsPolicy typed;
  typed.allow_origins = {{config::StringMatcher::Kind::kExact, "*", false}};
  host().cors_policies = {{"cors", typed}};
  EXPECT_EQ(preflight("https://any.test"), "allow-origin=https://any.test ");  // the field counts no more
  config::CorsPolicy nearer;
  nearer.allow_methods = "PATCH";
  host().routes[0].cors_policies = {{"cors", nearer}, {"other", {}}};
  EXPECT_EQ(preflight("https://any.test"), "allow-origin=https://any.test allow-methods=PATCH ");
}

TEST_F(CorsFilterTest, ARouteTurnsItOff) {
  host().routes[0].filter_switches = {{"cors", false}};
  EXPECT_EQ(preflight(), "passed: ");
}

}  // namespace
}  // namespace inlay::proxy::http_filters
