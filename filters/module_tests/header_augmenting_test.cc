// SPDX-License-Identifier: Apache-2.0
// The compiled module, header_augmenting.wasm, on the real host with both engines, virtual time and scripted upstreams.
// The filter's logic is tested natively beside its source; here it is the module's boundary.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "testkit/guest_fixture.h"
#include "testkit/proxy.h"

namespace inlay::testkit {
namespace {

std::vector<uint8_t> read_module() {
  std::ifstream file(INLAY_BINARY_DIR "/wasm/header_augmenting.wasm", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class HeaderAugmentingModule : public GuestTest {
 protected:
  ProxyOptions two_workers() const {
    ProxyOptions o = options();
    o.workers = 2;
    return o;
  }
  static host::PluginConfig plugin(std::string configuration) {
    return {.name = "augment", .root_id = "any", .vm_id = "vm", .configuration = std::move(configuration)};
  }
  static size_t calls(TestProxy& proxy) {
    return proxy.worker(0).upstreams().calls().size() + proxy.worker(1).upstreams().calls().size();
  }
  static void answer(TestProxy& proxy, const Answer& answer) {
    for (size_t i = 0; i < 2; ++i) proxy.worker(i).upstreams().answer("sidecar", "/headers", answer);
  }
  const HeaderList request_ = {{":method", "GET"}, {":path", "/"}, {":authority", "a"}, {"authorization", "forged"}};
};
INLAY_BOTH_ENGINES(HeaderAugmentingModule);

TEST_P(HeaderAugmentingModule, ImportsAndExportsOnlyWhatItNeeds) {
  TestProxy proxy(two_workers());
  const auto module = proxy.compile(read_module());
  ASSERT_TRUE(module) << module.error().to_string();
  for (const auto& import : (*module)->imports()) {
    EXPECT_TRUE(import.module == "env" || import.name == "environ_get" || import.name == "environ_sizes_get" ||
                import.name == "clock_time_get" || import.name == "random_get")
        << import.name;
  }
  std::set<std::string> exports;
  for (const auto& item : (*module)->exports()) exports.insert(std::string(item.name));
  EXPECT_EQ(exports,
            (std::set<std::string>{"_initialize", "memory", "proxy_abi_version_0_2_1", "proxy_on_configure",
                                   "proxy_on_context_create", "proxy_on_delete", "proxy_on_http_call_response",
                                   "proxy_on_memory_allocate", "proxy_on_queue_ready", "proxy_on_request_headers",
                                   "proxy_on_request_trailers", "proxy_on_response_headers", "proxy_on_tick"}));
}

TEST_P(HeaderAugmentingModule, TwoWorkersShareOneFetchAndReplaceForgedHeaders) {
  TestProxy proxy(two_workers());
  answer(proxy, {.body = R"({"Authorization":"Bearer \u0031","x-tenant":"t"})", .after = 20ms});
  auto loaded = proxy.load(read_module(), plugin(R"({"header_cache_expiry": "10s"})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(300ms);
  EXPECT_EQ(calls(proxy), 1u);
  for (size_t i = 0; i < 2; ++i) {
    auto stream = proxy.stream(*proxy.attached(i), request_);
    EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    EXPECT_EQ(stream->request.get("authorization"), "Bearer 1");
    EXPECT_EQ(stream->request.count("authorization"), 1u);
    EXPECT_EQ(stream->request.get("x-tenant"), "t");
  }
  proxy.advance(100s);
  EXPECT_GE(calls(proxy), 10u);
  EXPECT_LE(calls(proxy), 12u);
  EXPECT_EQ(proxy.metric("wasmcustom.header_augmenting.injected") + proxy.metric("header_augmenting.injected"), 2);
}

TEST_P(HeaderAugmentingModule, RejectsUntilThereAreHeadersAndRecovers) {
  TestProxy proxy(two_workers());
  answer(proxy, {.shape = Answer::Shape::kRefused});
  answer(proxy, {.headers = {{":status", "200"}}, .body = "not json"});
  answer(proxy, {.shape = Answer::Shape::kReset});
  answer(proxy, {.body = std::string(1'000'000, 'x')});
  answer(proxy, {.body = R"({"x":"1"})"});
  auto loaded =
      proxy.load(read_module(), plugin(R"({"when_missing":{"status":429,"body":"soon","retry-after":"1s"}})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  {
    auto stream = proxy.stream(**loaded, request_);
    EXPECT_NE(stream->request_headers(), abi::HeadersStatus::kContinue);
    ASSERT_TRUE(stream->local_reply);
    EXPECT_EQ(stream->local_reply->status, 429u);
    EXPECT_EQ(stream->local_reply->body, "soon");
  }
  proxy.advance(60s);
  auto stream = proxy.stream(**loaded, request_);
  EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
  EXPECT_EQ(stream->request.get("x"), "1");
}

TEST_P(HeaderAugmentingModule, TwoWorkersShareOneExchangeAndOneTellsTheOther) {
  TestProxy proxy(two_workers());
  for (size_t i = 0; i < 2; ++i) {
    proxy.worker(i).upstreams().answer(
        "sts", "/token", {.body = R"({"access_token":"one","token_type":"Bearer","expires_in":100})", .after = 310ms});
  }
  auto loaded = proxy.load(read_module(), plugin(R"({"sources": [{"name": "obo", "cluster": "sts", "path": "/token",
      "format": "oauth2", "oauth2": {"grant_type": "token_exchange", "client_id": "gw"}}]})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(1s);
  const HeaderList request{{":method", "GET"}, {":path", "/"}, {":authority", "a"}, {"authorization", "Bearer alice"}};
  std::vector<std::unique_ptr<TestStream>> waiting;
  for (size_t i = 0; i < 2; ++i) {
    waiting.push_back(proxy.stream(*proxy.attached(i), request));
    EXPECT_NE(waiting.back()->request_headers(), abi::HeadersStatus::kContinue);
  }
  proxy.advance(309ms);
  EXPECT_TRUE(waiting[0]->continued.empty());
  proxy.advance(2ms);
  EXPECT_EQ(calls(proxy), 1u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(waiting[i]->continued.size(), 1u) << i;
    EXPECT_EQ(waiting[i]->request.get("authorization"), "Bearer one");
    auto next = proxy.stream(*proxy.attached(i), request);
    EXPECT_EQ(next->request_headers(), abi::HeadersStatus::kContinue);
    EXPECT_EQ(next->request.get("authorization"), "Bearer one");
  }
}

constexpr const char* kOAuth2 = R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "oauth2": {"client_id": "id", "client_secret": "${env:SECRET}"}}],
    "rules": [{"match": {"path_prefix": "/free"}, "use": []}, {"match": {"authority": "a"}}],
    "when_missing": {"action": "hold", "hold_for": "1s", "max_held": 2}})";

TEST_P(HeaderAugmentingModule, HoldsRequestsForATokenAndFetchesAnewWhatWasRefused) {
  TestProxy proxy(two_workers());
  const auto tokens = [&](const Answer& answer) {
    for (size_t i = 0; i < 2; ++i) proxy.worker(i).upstreams().answer("idp", "/token", answer);
  };
  tokens({.body = R"({"access_token":"one","token_type":"bearer","expires_in":100})", .after = 300ms});
  tokens({.body = R"({"access_token":"two","token_type":"bearer","expires_in":100})", .after = 300ms});
  auto config = plugin(kOAuth2);
  config.environment["SECRET"] = "s+";
  auto loaded = proxy.load(read_module(), config);
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  auto free = proxy.stream(**loaded, {{":method", "GET"}, {":path", "/free"}, {":authority", "a"}});
  EXPECT_EQ(free->request_headers(), abi::HeadersStatus::kContinue);
  std::vector<std::unique_ptr<TestStream>> held;
  for (size_t i = 0; i < 3; ++i) {
    held.push_back(proxy.stream(**loaded, request_));
    EXPECT_NE(held.back()->request_headers(), abi::HeadersStatus::kContinue);
  }
  ASSERT_TRUE(held[2]->local_reply) << "one too many";
  proxy.advance(500ms);
  EXPECT_EQ(calls(proxy), 1u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(held[i]->continued.size(), 1u);
    EXPECT_EQ(held[i]->request.get("authorization"), "Bearer one");
  }
  proxy.advance(1s);
  held[0]->response_headers({{":status", "401"}});
  held[1]->response_headers({{":status", "401"}});
  proxy.advance(1s);
  EXPECT_EQ(calls(proxy), 2u);
  for (size_t i = 0; i < 2; ++i) {
    auto stream = proxy.stream(*proxy.attached(i), request_);
    EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    EXPECT_EQ(stream->request.get("authorization").value_or("").substr(0, 7), "Bearer ");
  }
  EXPECT_EQ(proxy.log().count("s+"), 0u);
}

TEST_P(HeaderAugmentingModule, RejectsWhatItHasHeldTooLong) {
  TestProxy proxy(two_workers());
  for (size_t i = 0; i < 2; ++i) proxy.worker(i).upstreams().answer("idp", "/token", {.shape = Answer::Shape::kReset});
  auto config = plugin(kOAuth2);
  config.environment["SECRET"] = "s";
  auto loaded = proxy.load(read_module(), config);
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  auto stream = proxy.stream(**loaded, request_);
  EXPECT_NE(stream->request_headers(), abi::HeadersStatus::kContinue);
  proxy.advance(900ms);
  EXPECT_FALSE(stream->local_reply);
  proxy.advance(200ms);
  ASSERT_TRUE(stream->local_reply);
  EXPECT_EQ(stream->local_reply->status, 503u);
  EXPECT_TRUE(stream->continued.empty());
}

TEST_P(HeaderAugmentingModule, RulesChooseSourcesAndModes) {
  TestProxy proxy(two_workers());
  for (size_t i = 0; i < 2; ++i) {
    auto& upstreams = proxy.worker(i).upstreams();
    upstreams.answer("keys", "/k", {.body = R"({"data":[{"key":"k1"}],"n":7})"});
    upstreams.answer("sidecar", "/headers", {.body = R"({"x-tenant":"t","x-other":"o","host":"forged"})"});
  }
  auto loaded = proxy.load(read_module(), plugin(R"({"sources": [
      {"name": "keys", "cluster": "keys", "path": "/k", "format": "template",
       "headers": {"X-Key": "key {/data/0/key}/{/n}"}},
      {"name": "tenant", "allow": ["x-t*"]}],
    "rules": [
      {"match": {"authority": "*.internal", "path_prefix": "/v1/"}, "use": ["keys"], "remove": ["cookie"]},
      {"match": {"methods": ["PUT"], "headers": [{"name": "x-mode", "exact": "add"}]}, "mode": "append"},
      {"match": {"path": "/mine"}, "use": ["tenant"], "mode": "if_absent"}]})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(300ms);
  const auto run = [&](HeaderList headers) {
    auto stream = proxy.stream(**loaded, headers);
    EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    return stream;
  };
  auto keys = run({{":method", "GET"}, {":path", "/v1/x"}, {":authority", "A.Internal:80"}, {"cookie", "c"}});
  EXPECT_EQ(keys->request.get("x-key"), "key k1/7");
  EXPECT_EQ(keys->request.count("x-tenant") + keys->request.count("cookie"), 0u);
  auto added = run({{":method", "PUT"}, {":path", "/"}, {":authority", "b"}, {"x-mode", "add"}, {"x-tenant", "mine"}});
  EXPECT_EQ(added->request.count("x-tenant"), 2u);
  EXPECT_EQ(added->request.count("x-key"), 1u);
  EXPECT_EQ(added->request.count("x-other") + added->request.count("host"), 0u);
  auto absent = run({{":method", "GET"}, {":path", "/mine?a"}, {":authority", "b"}, {"x-tenant", "mine"}});
  EXPECT_EQ(absent->request.get("x-tenant"), "mine");
  auto none = run({{":method", "GET"}, {":path", "/v1/x"}, {":authority", "internal"}, {"cookie", "c"}});
  EXPECT_EQ(none->request.count("x-key") + none->request.count("x-tenant"), 0u);
  EXPECT_EQ(none->request.count("cookie"), 1u);
  EXPECT_EQ(
      proxy.metric("wasmcustom.header_augmenting.keys.fetch_ok") + proxy.metric("header_augmenting.keys.fetch_ok"), 1);
}

TEST_P(HeaderAugmentingModule, FileAuthenticatesTheClientAndIsReadAgainWhenItIsRefused) {
  TestProxy proxy(two_workers());
  for (size_t i = 0; i < 2; ++i) {
    auto& upstreams = proxy.worker(i).upstreams();
    upstreams.answer("files", "/sa", {.body = "old+token\n"});
    upstreams.answer("files", "/sa", {.body = "new+token\n"});
    upstreams.answer(
        "idp", "/token",
        {.headers = {{":status", "401"}}, .body = R"({"error":"invalid_client","error_description":"no"})"});
    upstreams.answer("idp", "/token", {.body = R"({"access_token":"one","expires_in":100})"});
  }
  auto loaded = proxy.load(read_module(), plugin(R"({"sources": [
      {"name": "idp", "cluster": "idp", "authority": "login.local", "path": "/token", "format": "oauth2",
       "oauth2": {"client_id": "", "auth_method": "client_assertion", "client_assertion": "${source:sa}"}},
      {"name": "sa", "cluster": "files", "path": "/sa", "format": "text", "refresh": {"every": "1h"}}]})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(2s);
  std::vector<std::string> asked;
  for (size_t i = 0; i < 2; ++i) {
    for (const RecordedCall& call : proxy.worker(i).upstreams().calls()) {
      if (call.cluster == "idp") asked.push_back(call.body.substr(call.body.rfind('=') + 1));
    }
    auto stream = proxy.stream(*proxy.attached(i), request_);
    EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    EXPECT_EQ(stream->request.get("authorization"), "Bearer one");
  }
  // Whoever asked first asks again, or the other worker does, whose own script begins anew.
  EXPECT_GE(asked.size(), 2u);
  EXPECT_EQ(asked.front().substr(3), "%2Btoken");
  EXPECT_EQ(proxy.log().count("fetch failed: the answer's status is not 200 but 401 (invalid_client: no)"), 1u);
  EXPECT_EQ(proxy.log().count("+token") + proxy.log().count("%2Btoken"), 0u);
}

TEST_P(HeaderAugmentingModule, VariableThatTheVmDoesNotHaveIsRefused) {
  TestProxy proxy(two_workers());
  EXPECT_FALSE(proxy.load(read_module(), plugin(kOAuth2)));
  EXPECT_EQ(proxy.log().count("sources[0].oauth2.client_secret: found ${env:SECRET}, which is not set"), 1u);
}

TEST_P(HeaderAugmentingModule, RefusesABadConfigurationWithOneLine) {
  TestProxy proxy(two_workers());
  const auto loaded = proxy.load(read_module(), plugin(R"({"header_cache_expirey": "10s"})"));
  EXPECT_FALSE(loaded);
  EXPECT_EQ(proxy.log().count("header_cache_expirey: found an unknown key, expected \"header_cache_expiry\"?"), 1u);
}

TEST_P(HeaderAugmentingModule, StepsOfTheWallClockChangeNothing) {
  TestProxy proxy(two_workers());
  answer(proxy, {.body = R"({"x":"1"})"});
  auto loaded = proxy.load(read_module(), plugin(R"({"sources": [{"max_stale": "0s", "refresh": {"every": "10s"}}]})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(300ms);
  ASSERT_EQ(calls(proxy), 1u);
  for (const auto step : {24h, -48h, 24h}) {
    proxy.clock().step(step);
    proxy.advance(2s);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(proxy.stream(*proxy.attached(i), request_)->request_headers(), abi::HeadersStatus::kContinue);
    }
  }
  EXPECT_EQ(calls(proxy), 1u);
  proxy.advance(4s);
  EXPECT_EQ(calls(proxy), 2u);
}

TEST_P(HeaderAugmentingModule, FetcherThatTrapsIsReplacedWithinTwoLeaseTimes) {
  ProxyOptions o = two_workers();
  o.limits.max_memory_bytes = 1 << 20;
  TestProxy proxy(o);
  // More than the memory of the one that asks first holds, and then something better.
  for (size_t i = 0; i < 2; ++i) {
    auto& upstreams = proxy.worker(i).upstreams();
    upstreams.answer("keys", "/k", {.body = R"({"k":")" + std::string(300'000, 'x') + R"("})", .after = 100ms});
    upstreams.answer("keys", "/k", {.body = R"({"k":"good"})", .after = 100ms});
  }
  auto config = plugin(R"({"max_body": 1000000, "sources": [{"cluster": "keys", "path": "/k", "timeout": "1s",
    "format": "template", "headers": {"x-k": "{/k}"}}]})");
  config.failure_policy = host::FailurePolicy::kFailReload;
  auto loaded = proxy.load(read_module(), config);
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(500ms);
  ASSERT_EQ(calls(proxy), 1u);
  ASSERT_EQ(proxy.log().count("the VM of plugin augment"), 1u);
  proxy.advance(12s);  // a lease is two seconds; whoever asks next has its own big answer first
  for (size_t i = 0; i < 2; ++i) {
    auto stream = proxy.stream(*proxy.attached(i), request_);
    EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    EXPECT_EQ(stream->request.get("x-k"), "good");
  }
  EXPECT_LE(calls(proxy), 3u);
  EXPECT_EQ(proxy.log().count("xxxx"), 0u);
}

TEST_P(HeaderAugmentingModule, FetcherWhoseWorkerIsGoneIsReplacedAtOnce) {
  TestProxy proxy(two_workers());
  answer(proxy, {.body = R"({"x":"1"})", .after = 2s});
  auto loaded = proxy.load(read_module(), plugin("{}"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(100ms);
  ASSERT_EQ(calls(proxy), 1u);
  const size_t fetcher = proxy.worker(0).upstreams().calls().empty() ? 1 : 0;
  proxy.worker(fetcher).stop();
  proxy.advance(2500ms);
  EXPECT_EQ(calls(proxy), 2u);
  EXPECT_EQ(proxy.stream(*proxy.attached(1 - fetcher), request_)->request_headers(), abi::HeadersStatus::kContinue);
}

TEST_P(HeaderAugmentingModule, PluginsWithTheSameSourceShareOneFetchOnAllWorkers) {
  ProxyOptions o = two_workers();
  o.workers = 8;
  TestProxy proxy(o);
  for (size_t i = 0; i < 8; ++i) {
    proxy.worker(i).upstreams().answer("sidecar", "/headers", {.body = R"({"x":"1"})", .after = 20ms});
  }
  const auto module = proxy.compile(read_module());
  ASSERT_TRUE(module);
  std::vector<host::WorkerPlugin*> plugins;
  for (const char* rest : {"}", R"(, "when_missing": {"action": "pass"}})", R"(, "rules": [{"mode": "append"}]})"}) {
    ASSERT_TRUE(proxy.load(*module, plugin(std::string(R"({"header_cache_expiry": "5s")") + rest)));
    for (size_t i = 0; i < 8; ++i) plugins.push_back(proxy.attached(i));
  }
  proxy.advance(60s);
  size_t all = 0;
  for (size_t i = 0; i < 8; ++i) all += proxy.worker(i).upstreams().calls().size();
  EXPECT_GE(all, 12u);
  EXPECT_LE(all, 15u);
  for (host::WorkerPlugin* one : plugins) {
    auto stream = proxy.stream(*one, request_);
    EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    EXPECT_EQ(stream->request.get("x"), "1");
  }
}

TEST_P(HeaderAugmentingModule, RunsOnInTheMemoryOfTheStart) {
  ProxyOptions o = two_workers();
  o.limits.max_memory_bytes = 1 << 20;
  TestProxy proxy(o);
  answer(proxy, {.body = R"({"authorization":")" + std::string(18'000, 'a') + R"("})"});
  auto loaded = proxy.load(read_module(), plugin(R"({"header_cache_expiry": "1s"})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  for (int i = 0; i < 5; ++i) {
    proxy.advance(20s);
    for (int n = 0; n < 20; ++n) {
      auto stream = proxy.stream(**loaded, request_);
      ASSERT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    }
  }
  EXPECT_GE(calls(proxy), 90u);
}

}  // namespace
}  // namespace inlay::testkit
