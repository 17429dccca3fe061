// SPDX-License-Identifier: Apache-2.0
// What a provider can do wrong, to the compiled module on the real host with both engines, in virtual time: a good
// answer, then the fault for three seconds, then good answers again. tests/test_fault_matrix.py does the same with
// sockets and processes.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "testkit/guest_fixture.h"
#include "testkit/proxy.h"

namespace inlay::testkit {
namespace {

struct Fault {
  const char* name;
  Answer answer;
  const char* reason = nullptr;  // of the token's failed fetches; nullptr: they do not fail
  const char* keys_reason = nullptr;
  size_t most_calls = 40;  // for the token, in the three seconds
};

Answer status(const char* code) {
  return {.headers = {{":status", code}}, .body = R"({"secret-body": "tok-leaked"})"};
}

Answer body(std::string text) {
  return {.body = std::move(text)};
}

// With expires_in as it stands, the token is good again and again; refresh.every is a second.
Fault lifetime(const char* name, const std::string& expires_in, size_t most_calls) {
  return {.name = name,
          .answer = body(R"({"access_token": "tok-odd", "x-key": "key-odd", "expires_in": )" + expires_in + "}"),
          .most_calls = most_calls};
}

std::vector<Fault> faults() {
  using Shape = Answer::Shape;
  const auto same = [](const char* name, Answer answer, const char* reason, size_t most_calls = 40) {
    return Fault{name, std::move(answer), reason, reason, most_calls};
  };
  return {
      same("unavailable", {.shape = Shape::kUnavailable}, "not_sent"),
      same("refused", {.shape = Shape::kRefused}, "unreachable"),
      same("reset", {.shape = Shape::kReset}, "no_answer"),
      same("timeout", {.shape = Shape::kTimeout}, "unreachable", 6),
      same("401", status("401"), "status"),
      same("500", status("500"), "status"),
      same("204", status("204"), "status"),
      same("status that is none", status("2xx"), "status"),
      same("empty", body(""), "bad_json"),
      same("half", body(R"({"access_token": "tok-h)"), "bad_json"),
      same("not UTF-8", body("{\"access_token\": \"tok-\xff\", \"x-key\": \"key-\xff\"}"), "bad_json"),
      same("10 MB", body(R"({"access_token": "tok-)" + std::string(10'000'000, 'x') + "\"}"), "too_large"),
      same("deep", body(std::string(30'000, '[')), "bad_json"),
      same("wrong root", body(R"(["tok-list"])"), "bad_json"),
      {"wrong types", body(R"({"access_token": 5, "x-key": ["key-list"]})"), "no_value", "no_headers"},
      same("line breaks", body(R"({"access_token": "tok-a\r\nx-evil: 1", "x-key": "key-a\r\nx-evil: 1"})"),
           "no_headers"),
      {"forged names",
       body(R"({"access_token": "tok-f", "expires_in": 1, "x-key": "key-f", "host": "evil", ":path": "/evil",
                "content-length": "0", "x y": "1", "Transfer-Encoding": "chunked", "x\r\ny": "1", "": "1"})")},
      lifetime("0", "0", 8),
      lifetime("negative", "-1", 8),
      lifetime("missing", "null", 8),
      lifetime("digits", "\"1\"", 8),
      lifetime("text", "\"soon\"", 8),
      lifetime("10^18", "1000000000000000000", 1),
      lifetime("1e18", "1e18", 1),
  };
}

class ProviderFaults : public GuestTest {
 protected:
  static constexpr const char* kConfiguration = R"({"sources": [
      {"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2", "timeout": "500ms",
       "oauth2": {"client_id": "id", "client_secret": "${env:SECRET}"},
       "refresh": {"every": "1s", "retry": {"initial": "100ms", "max": "400ms"}}},
      {"name": "keys", "cluster": "keys", "path": "/keys", "timeout": "500ms",
       "refresh": {"every": "1s", "retry": {"initial": "100ms", "max": "400ms"}}, "allow": ["x-*"]}],
    "rules": [{"match": {"path": "/token"}, "use": ["idp"]}, {"match": {"path": "/keys"}, "use": ["keys"]}]})";

  // The header that a request to `path` gets; "503" if it is rejected, "" without one.
  static std::string get(TestProxy& proxy, host::WorkerPlugin& plugin, const char* path, const char* header) {
    auto stream = proxy.stream(plugin, {{":method", "GET"}, {":path", path}, {":authority", "a"}, {header, "forged"}});
    if (stream->request_headers() != abi::HeadersStatus::kContinue) {
      EXPECT_TRUE(stream->local_reply);
      return stream->local_reply ? std::to_string(stream->local_reply->status) : "stopped";
    }
    EXPECT_EQ(stream->request.get(":path"), path);
    for (const char* name : {"host", "content-length", "transfer-encoding", "x-evil"}) {
      EXPECT_EQ(stream->request.count(name), 0u) << name;
    }
    return std::string(stream->request.get(header).value_or(""));
  }
  static int64_t metric(TestProxy& proxy, const std::string& name) {
    return proxy.metric("wasmcustom.header_augmenting." + name) + proxy.metric("header_augmenting." + name);
  }
  static void answer(TestProxy& proxy, const Answer& answer) {
    proxy.worker().upstreams().answer("idp", "/token", answer);
    proxy.worker().upstreams().answer("keys", "/keys", answer);
  }

  void run(const Fault& fault) {
    SCOPED_TRACE(fault.name);
    TestProxy proxy(options());
    answer(proxy, body(R"({"access_token": "tok-1", "expires_in": 1, "x-key": "key-1"})"));
    answer(proxy, fault.answer);
    std::ifstream file(INLAY_BINARY_DIR "/wasm/header_augmenting.wasm", std::ios::binary);
    const std::vector<uint8_t> module(std::istreambuf_iterator<char>(file), {});
    host::PluginConfig config{.name = "augment", .root_id = "any", .configuration = kConfiguration};
    config.environment["SECRET"] = "s3cr3t";
    auto plugin = proxy.load(module, config);
    ASSERT_TRUE(plugin) << plugin.error().to_string();
    proxy.advance(300ms);
    EXPECT_EQ(get(proxy, **plugin, "/token", "authorization"), "Bearer tok-1");
    EXPECT_EQ(get(proxy, **plugin, "/keys", "x-key"), "key-1");

    proxy.advance(3s);
    const auto count = [&](const char* cluster) {
      size_t calls = 0;
      for (const auto& call : proxy.worker().upstreams().calls()) calls += call.cluster == cluster ? 1 : 0;
      return calls;
    };
    EXPECT_LE(count("idp"), 1 + fault.most_calls);
    EXPECT_GE(count("idp") + metric(proxy, "idp.fetch_failed.not_sent"), 2u);
    const std::string token = get(proxy, **plugin, "/token", "authorization");
    const std::string key = get(proxy, **plugin, "/keys", "x-key");
    if (fault.reason != nullptr) {
      EXPECT_EQ(token, "503") << "the first has expired";
      EXPECT_GE(metric(proxy, std::string("idp.fetch_failed.") + fault.reason), 2);
      EXPECT_EQ(metric(proxy, "idp.fetch_ok"), 1);
    } else {
      EXPECT_EQ(token.substr(0, 11), "Bearer tok-");
      EXPECT_NE(token, "Bearer tok-1");
      EXPECT_EQ(proxy.log().count("idp: fetch failed"), 0u);
    }
    if (fault.keys_reason != nullptr) {
      EXPECT_EQ(key, "key-1") << "the last good one stays";
      EXPECT_GE(metric(proxy, std::string("keys.fetch_failed.") + fault.keys_reason), 2);
    } else {
      EXPECT_EQ(key.substr(0, 4), "key-");
    }

    // The answer that is due next may still be the fault's; the one after it comes within one retry period. Before each
    // of the two there are 400 ms at most, and the 50 until the worker looks; a time-out takes 500.
    answer(proxy, body(R"({"access_token": "tok-2", "expires_in": 1, "x-key": "key-2"})"));
    proxy.advance(fault.reason == nullptr ? 2000ms : fault.answer.shape == Answer::Shape::kTimeout ? 1600ms : 1000ms);
    if (fault.most_calls > 1) {  // otherwise the token is good for a hundred years
      EXPECT_EQ(get(proxy, **plugin, "/token", "authorization"), "Bearer tok-2");
    }
    EXPECT_EQ(get(proxy, **plugin, "/keys", "x-key"), "key-2");
    for (const char* planted : {"s3cr3t", "tok-", "key-", "secret-body"})
      EXPECT_EQ(proxy.log().count(planted), 0u) << planted;
  }
};
INLAY_BOTH_ENGINES(ProviderFaults);

TEST_P(ProviderFaults, AreSurvivedCountedAndOver) {
  for (const Fault& fault : faults()) run(fault);
}

}  // namespace
}  // namespace inlay::testkit
