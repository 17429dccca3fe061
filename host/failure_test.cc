// SPDX-License-Identifier: Apache-2.0
// Traps and what becomes of streams, siblings and timers under each failure policy.

#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

using abi::HeadersStatus;

class HostFailure : public GuestTest {
 protected:
  static PluginConfig config(FailurePolicy policy, std::string name = "test") {
    PluginConfig c;
    c.name = std::move(name);
    c.failure_policy = policy;
    return c;
  }
  static void expect_refused(const TestStream& stream) {
    ASSERT_TRUE(stream.local_reply);
    EXPECT_EQ(stream.local_reply->status, 503u);
    EXPECT_EQ(stream.local_reply->body, "");
    EXPECT_EQ(stream.local_reply->details, "wasm_fail_stream");
    EXPECT_EQ(stream.local_reply->grpc_status, 14u);
    EXPECT_EQ(stream.local_replies, 1u);
  }
};
INLAY_BOTH_ENGINES(HostFailure);

// One header traps, two wait, three go on; one response header traps too.
const std::string kTrapping = guest(import_proxy("log", 3) + import_proxy("set_tick_period_milliseconds", 1), R"(
  (data (i32.const 0) "tick")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $set_tick_period_milliseconds (i32.const 1000))) (i32.const 1))
  (func (export "proxy_on_tick") (param i32) (drop (call $log (i32.const 2) (i32.const 0) (i32.const 4))))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (i32.eq (local.get 1) (i32.const 1)) (then unreachable))
    (i32.eq (local.get 1) (i32.const 2)))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) unreachable))");

const HeaderList kTrap = {{"a", "b"}};
const HeaderList kWait = {{"a", "b"}, {"c", "d"}};
const HeaderList kGo = {{"a", "b"}, {"c", "d"}, {"e", "f"}};

TEST_P(HostFailure, ClosedRefusesTheTrappingTheWaitingAndTheLater) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, kTrapping, config(FailurePolicy::kFailClosed));
  auto waiting = proxy.stream(plugin, kWait);
  EXPECT_EQ(waiting->request_headers(false), HeadersStatus::kStopAllIterationAndWatermark);
  auto trapping = proxy.stream(plugin, kTrap);
  EXPECT_EQ(trapping->request_headers(), HeadersStatus::kStopAllIterationAndWatermark);
  expect_refused(*trapping);
  EXPECT_FALSE(plugin.healthy());
  EXPECT_EQ(proxy.log().count("the VM of plugin test (FAIL_CLOSED) has failed: "), 1u);
  EXPECT_FALSE(waiting->local_reply);
  proxy.run();
  expect_refused(*waiting);
  auto later = proxy.stream(plugin, kGo);
  ASSERT_FALSE(later->bypassed());
  EXPECT_TRUE(later->context().wants_request_body());
  EXPECT_EQ(later->request_headers(), HeadersStatus::kStopAllIterationAndWatermark);
  expect_refused(*later);
  proxy.advance(60s);
  EXPECT_FALSE(plugin.healthy());
  EXPECT_EQ(proxy.log().count("tick"), 0u);
}

TEST_P(HostFailure, OpenLetsEverythingPass) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, kTrapping, config(FailurePolicy::kFailOpen));
  auto waiting = proxy.stream(plugin, kWait);
  waiting->request_headers(false);
  auto trapping = proxy.stream(plugin, kTrap);
  EXPECT_EQ(trapping->request_headers(), HeadersStatus::kContinue);
  EXPECT_FALSE(trapping->local_reply);
  EXPECT_EQ(trapping->response_headers({{":status", "200"}}), HeadersStatus::kContinue);
  proxy.run();
  EXPECT_EQ(waiting->continued, std::vector{Direction::kRequest});
  EXPECT_TRUE(proxy.stream(plugin, kGo)->bypassed());
}

TEST_P(HostFailure, StrictOpenRefusesTheTrappingRequestAsEnvoyDoes) {
  auto o = options();
  o.envoy_strict = true;
  TestProxy proxy(o);
  auto& plugin = load(proxy, kTrapping, config(FailurePolicy::kFailOpen));
  auto trapping = proxy.stream(plugin, kTrap);
  EXPECT_EQ(trapping->request_headers(), HeadersStatus::kStopAllIterationAndWatermark);
  expect_refused(*trapping);
  EXPECT_TRUE(proxy.stream(plugin, kGo)->bypassed());

  auto legacy = config(FailurePolicy::kFailOpen, "legacy");  // the deprecated `fail_open` covers that request too
  legacy.legacy_fail_open = true;
  auto passing = proxy.stream(load(proxy, kTrapping, legacy), kTrap);
  EXPECT_EQ(passing->request_headers(), HeadersStatus::kContinue);
  EXPECT_FALSE(passing->local_reply);
}

TEST_P(HostFailure, StrictAnswersNoneThatWaited) {
  auto o = options();
  o.envoy_strict = true;
  for (const FailurePolicy policy : {FailurePolicy::kFailClosed, FailurePolicy::kFailOpen}) {
    TestProxy proxy(o);
    auto& plugin = load(proxy, kTrapping, config(policy));
    auto waiting = proxy.stream(plugin, kWait);
    waiting->request_headers(false);
    proxy.stream(plugin, kTrap)->request_headers();
    proxy.advance(60s);
    EXPECT_FALSE(waiting->local_reply);
    EXPECT_TRUE(waiting->continued.empty());
  }
}

TEST_P(HostFailure, ReloadComesBackByItselfAndTicksAgain) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, kTrapping, config(FailurePolicy::kFailReload));
  proxy.advance(2500ms);  // longer than any back-off since the start
  EXPECT_EQ(proxy.log().count("tick"), 2u);
  auto trapping = proxy.stream(plugin, kTrap);
  trapping->request_headers();
  expect_refused(*trapping);
  EXPECT_FALSE(plugin.healthy());
  proxy.run();
  EXPECT_TRUE(plugin.healthy());
  EXPECT_EQ(proxy.metric("wasm.test.vm_reload_success"), 1);
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), 2);
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.created"), 4);  // module, canary, first, reloaded
  proxy.log().clear();
  proxy.advance(1000ms);
  EXPECT_EQ(proxy.log().count("tick"), 1u);
  EXPECT_EQ(proxy.stream(plugin, kGo)->request_headers(), HeadersStatus::kContinue);
}

TEST_P(HostFailure, ReloadWaitsForItsBackoff) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, kTrapping, config(FailurePolicy::kFailReload));
  proxy.advance(2000ms);
  proxy.stream(plugin, kTrap)->request_headers();
  proxy.run();
  EXPECT_TRUE(plugin.healthy());
  proxy.stream(plugin, kTrap)->request_headers();  // again, at once
  proxy.run();
  EXPECT_FALSE(plugin.healthy());
  auto refused = proxy.stream(plugin, kGo);
  refused->request_headers();
  expect_refused(*refused);
  EXPECT_EQ(proxy.metric("wasm.test.vm_reload_backoff"), 1);
  proxy.advance(999ms);
  EXPECT_FALSE(plugin.healthy());
  proxy.advance(501ms);  // the back-off is 1 to 1.5 times 1 s
  EXPECT_TRUE(plugin.healthy());
  EXPECT_EQ(proxy.metric("wasm.test.vm_reload_success"), 2);
}

TEST_P(HostFailure, StrictReloadComesWithTheNextRequest) {
  auto o = options();
  o.envoy_strict = true;
  TestProxy proxy(o);
  auto& plugin = load(proxy, kTrapping, config(FailurePolicy::kFailReload));
  proxy.advance(2000ms);
  proxy.stream(plugin, kTrap)->request_headers();
  proxy.advance(10s);
  EXPECT_FALSE(plugin.healthy());
  EXPECT_EQ(proxy.stream(plugin, kGo)->request_headers(), HeadersStatus::kContinue);
  EXPECT_TRUE(plugin.healthy());
}

TEST_P(HostFailure, ATrapFailsEveryPluginOfTheVm) {
  TestProxy proxy(options());
  auto module = proxy.compile(wasm(kTrapping));
  ASSERT_TRUE(module);
  auto* closed = *proxy.load(*module, config(FailurePolicy::kFailClosed, "closed"));
  auto* open = *proxy.load(*module, config(FailurePolicy::kFailOpen, "open"));
  auto alone = config(FailurePolicy::kFailClosed, "alone");
  alone.vm_id = "another VM";
  auto* other = *proxy.load(*module, alone);
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), 4);
  proxy.stream(*open, kTrap)->request_headers();
  proxy.run();
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), 4) << "one that has died counts until it is replaced";
  EXPECT_FALSE(closed->healthy());
  EXPECT_FALSE(open->healthy());
  EXPECT_TRUE(other->healthy());
  EXPECT_EQ(proxy.log().count("closed (FAIL_CLOSED), open (FAIL_OPEN) has failed"), 1u);
  auto refused = proxy.stream(*closed, kGo);
  refused->request_headers();
  expect_refused(*refused);
  EXPECT_TRUE(proxy.stream(*open, kGo)->bypassed());
  EXPECT_EQ(proxy.stream(*other, kGo)->request_headers(), HeadersStatus::kContinue);
}

// The n-th callback of a stream traps: nothing else breaks, whichever it is.
TEST_P(HostFailure, ATrapInAnyCallbackIsContained) {
  struct Case {
    const char* callback;
    const char* type;
    const char* after;  // put behind unreachable
  };
  const Case cases[] = {
      {"proxy_on_context_create", "(param i32 i32)", "(if (local.get 1) (then unreachable))"},
      {"proxy_on_request_headers", "(param i32 i32 i32) (result i32)", "unreachable"},
      {"proxy_on_request_body", "(param i32 i32 i32) (result i32)", "unreachable"},
      {"proxy_on_request_trailers", "(param i32 i32) (result i32)", "unreachable"},
      {"proxy_on_response_headers", "(param i32 i32 i32) (result i32)", "unreachable"},
      {"proxy_on_response_body", "(param i32 i32 i32) (result i32)", "unreachable"},
      {"proxy_on_response_trailers", "(param i32 i32) (result i32)", "unreachable"},
      {"proxy_on_log", "(param i32)", "unreachable"},
      {"proxy_on_done", "(param i32) (result i32)", "unreachable"},
      {"proxy_on_delete", "(param i32)", "unreachable"},
  };
  for (const FailurePolicy policy :
       {FailurePolicy::kFailClosed, FailurePolicy::kFailOpen, FailurePolicy::kFailReload}) {
    for (const Case& c : cases) {
      SCOPED_TRACE(c.callback);
      TestProxy proxy(options());
      const std::string text = std::string("(func (export \"") + c.callback + "\") " + c.type + " " + c.after + ")";
      auto& plugin = load(proxy, guest("", text), config(policy));
      auto stream = proxy.stream(plugin, kGo);
      if (!stream->bypassed()) {
        stream->request_headers(false);
        stream->request_body("body", false);
        stream->request_trailers({{"t", "1"}});
        stream->response_headers({{":status", "200"}}, false);
        stream->response_body("body", false);
        stream->response_trailers({{"t", "1"}});
        stream->finish();
      }
      EXPECT_EQ(proxy.log().count("has failed"), 1u);
      EXPECT_LE(stream->local_replies, policy == FailurePolicy::kFailOpen ? 0u : 1u);
      EXPECT_FALSE(plugin.healthy());
      proxy.advance(10s);
      EXPECT_EQ(plugin.healthy(), policy == FailurePolicy::kFailReload);
    }
  }
}

TEST_P(HostFailure, ALoopIsCutOffAndOthersGoOn) {
  auto o = options();
  o.limits.call_budget = std::chrono::seconds(2);  // the other guest has it, too
  TestProxy proxy(o);
  auto& plugin = load(proxy, guest("", R"((func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (loop $for_ever (br $for_ever)) (i32.const 0)))"),
                      config(FailurePolicy::kFailClosed, "looping"));
  auto& fine = load(proxy, guest("", ""), config(FailurePolicy::kFailClosed, "fine"));
  auto stream = proxy.stream(plugin, kGo);
  stream->request_headers();
  expect_refused(*stream);
  EXPECT_EQ(proxy.stream(fine, kGo)->request_headers(), HeadersStatus::kContinue);
}

TEST_P(HostFailure, ATrapInTheAllocatorEndsTheCallback) {
  TestProxy proxy(options());
  GuestText bad;
  bad.allocator = R"((func (export "malloc") (param i32) (result i32) unreachable))";
  auto& plugin = load(proxy, guest(import_proxy("get_header_map_pairs", 3),
                                   R"((func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $get_header_map_pairs (i32.const 0) (i32.const 0) (i32.const 4))) (i32.const 0)))",
                                   bad));
  auto stream = proxy.stream(plugin, kGo);
  stream->request_headers();
  expect_refused(*stream);
  EXPECT_EQ(proxy.log().count("has failed"), 1u);
}

}  // namespace
}  // namespace inlay::host
