// SPDX-License-Identifier: Apache-2.0
// The smaller module, header_augmenting_lean.wasm, on the real host with both engines: what it has does what the whole
// one does, and what it lacks is refused by name.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "testkit/guest_fixture.h"
#include "testkit/proxy.h"

namespace inlay::testkit {
namespace {

std::vector<uint8_t> read_module() {
  std::ifstream file(INLAY_BINARY_DIR "/wasm/header_augmenting_lean.wasm", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class LeanModule : public GuestTest {
 protected:
  ProxyOptions two_workers() const {
    ProxyOptions o = options();
    o.workers = 2;
    return o;
  }
  static host::PluginConfig plugin(std::string configuration) {
    return {.name = "augment", .root_id = "any", .vm_id = "vm", .configuration = std::move(configuration)};
  }
  const HeaderList request_ = {{":method", "GET"}, {":path", "/"}, {":authority", "a"}, {"authorization", "forged"}};
};
INLAY_BOTH_ENGINES(LeanModule);

// What a host skips costs a request nothing: of the stream's callbacks there are four, and that of trailers.
TEST_P(LeanModule, ImportsAndExportsOnlyWhatItNeeds) {
  TestProxy proxy(two_workers());
  const auto module = proxy.compile(read_module());
  ASSERT_TRUE(module) << module.error().to_string();
  for (const auto& import : (*module)->imports()) {
    EXPECT_TRUE(import.module == "env" || import.name == "environ_get" || import.name == "environ_sizes_get" ||
                import.name == "clock_time_get")
        << import.name;
    EXPECT_NE(import.name, "proxy_call_foreign_function");
  }
  std::set<std::string> exports;
  for (const auto& item : (*module)->exports()) exports.insert(std::string(item.name));
  EXPECT_EQ(exports,
            (std::set<std::string>{"_initialize", "memory", "proxy_abi_version_0_2_1", "proxy_on_configure",
                                   "proxy_on_context_create", "proxy_on_delete", "proxy_on_http_call_response",
                                   "proxy_on_memory_allocate", "proxy_on_request_headers", "proxy_on_request_trailers",
                                   "proxy_on_response_headers", "proxy_on_tick"}));
}

TEST_P(LeanModule, ShortFormIsOneFetchForTwoWorkers) {
  TestProxy proxy(two_workers());
  for (size_t i = 0; i < 2; ++i) {
    proxy.worker(i).upstreams().answer("sidecar", "/headers",
                                       {.body = R"({"Authorization":"Bearer 1","x-tenant":"t"})"});
  }
  auto loaded = proxy.load(read_module(), plugin(R"({"header_cache_expiry": "10s"})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  EXPECT_NE(proxy.stream(**loaded, request_)->request_headers(), abi::HeadersStatus::kContinue);
  proxy.advance(300ms);
  EXPECT_EQ(proxy.worker(0).upstreams().calls().size() + proxy.worker(1).upstreams().calls().size(), 1u);
  for (size_t i = 0; i < 2; ++i) {
    auto stream = proxy.stream(*proxy.attached(i), request_);
    EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
    EXPECT_EQ(stream->request.get("authorization"), "Bearer 1");
    EXPECT_EQ(stream->request.get("x-tenant"), "t");
  }
}

TEST_P(LeanModule, TokensTemplatesAndRules) {
  TestProxy proxy(two_workers());
  for (size_t i = 0; i < 2; ++i) {
    auto& upstreams = proxy.worker(i).upstreams();
    upstreams.answer("idp", "/token", {.body = R"({"access_token":"one","expires_in":100})"});
    upstreams.answer("keys", "/k", {.body = R"({"data":[{"key":"k1"}],"n":7})"});
  }
  auto loaded = proxy.load(read_module(), plugin(R"({"sources": [
      {"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
       "oauth2": {"client_id": "c", "client_secret": "s+s", "scopes": ["a", "b"]}},
      {"name": "keys", "cluster": "keys", "path": "/k", "format": "template",
       "headers": {"x-key": "{/data/0/key}/{/n}"}}],
    "rules": [{"match": {"path_prefix": "/k"}, "use": ["keys"], "remove": ["cookie"]},
              {"use": ["idp"]}]})"));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  proxy.advance(300ms);
  auto keys = proxy.stream(**loaded, {{":method", "GET"}, {":path", "/k"}, {":authority", "a"}, {"cookie", "c"}});
  EXPECT_EQ(keys->request_headers(), abi::HeadersStatus::kContinue);
  EXPECT_EQ(keys->request.get("x-key"), "k1/7");
  EXPECT_EQ(keys->request.count("cookie") + keys->request.count("authorization"), 0u);
  auto token = proxy.stream(**loaded, request_);
  EXPECT_EQ(token->request_headers(), abi::HeadersStatus::kContinue);
  EXPECT_EQ(token->request.get("authorization"), "Bearer one");
}

TEST_P(LeanModule, RefusesWhatItLacksAndNamesTheModuleThatHasIt) {
  const struct {
    const char* configuration;
    const char* found;
  } cases[] = {
      {R"({"sources": [{"format": "text", "headers": {"a": "{text}"}}]})", "sources[0].format: found the value"},
      {R"({"sources": [{"format": "jwt_svid", "jwt_svid": {"audience": "a"}, "headers": {"a": "{text}"}}]})",
       "sources[0].jwt_svid: found the key"},
      {R"({"sources": [{"name": "a", "body": "${source:a}"}]})", "sources[0].body: found ${source:NAME}"},
      {R"({"sources": [{"format": "oauth2", "path": "/t", "oauth2": {"client_id": "c", "signing": {}}}]})",
       "sources[0].oauth2.signing: found the key"},
      {R"({"sources": [{"format": "oauth2", "path": "/t",
                        "oauth2": {"client_id": "c", "auth_method": "private_key_jwt"}}]})",
       "sources[0].oauth2.auth_method: found the value"},
      {R"({"sources": [{"format": "oauth2", "path": "/t",
                        "oauth2": {"client_id": "c", "grant_type": "token_exchange"}}]})",
       "sources[0].oauth2.grant_type: found the value"},
      {R"({"when_missing": {"action": "hold"}})", "when_missing.action: found the value"},
      {R"({"when_missing": {"max_held": 3}})", "when_missing.max_held: found the key"},
  };
  for (const auto& c : cases) {
    TestProxy proxy(two_workers());
    EXPECT_FALSE(proxy.load(read_module(), plugin(c.configuration))) << c.configuration;
    EXPECT_GE(proxy.log().count(c.found + std::string(", which header_augmenting_lean.wasm lacks, expected "
                                                      "header_augmenting.wasm, which has it")),
              1u)
        << c.configuration;
  }
}

TEST_P(LeanModule, UnknownKeyIsRefusedWithThoseThatThereAre) {
  TestProxy proxy(two_workers());
  EXPECT_FALSE(proxy.load(read_module(), plugin(R"({"rule": []})")));
  EXPECT_EQ(proxy.log().count("rule: found an unknown key, expected one of header_providing_service_cluster"), 1u);
}

}  // namespace
}  // namespace inlay::testkit
