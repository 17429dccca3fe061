// SPDX-License-Identifier: Apache-2.0
// TCP connections: callbacks and their order, bytes seen and changed, pause and continue, closing, failures.

#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

using abi::Action;
using abi::PeerType;

class HostTcp : public GuestTest {
 protected:
  static PluginConfig config(FailurePolicy policy) {
    PluginConfig c;
    c.name = "test";
    c.failure_policy = policy;
    return c;
  }
};
INLAY_BOTH_ENGINES(HostTcp);

// Each callback logs a number: its own, and its arguments as digits behind it.
const std::string kTracing = guest(import_proxy("log", 3), kLogNumber + R"(
  (func (export "proxy_on_context_create") (param i32 i32)
    (if (local.get 1) (then (call $log_number (i32.const 1)))))
  (func (export "proxy_on_new_connection") (param i32) (result i32) (call $log_number (i32.const 2)) (i32.const 0))
  (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
    (call $log_number (i32.add (i32.const 300) (i32.add (i32.mul (local.get 1) (i32.const 10)) (local.get 2))))
    (i32.const 0))
  (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32)
    (call $log_number (i32.add (i32.const 400) (i32.add (i32.mul (local.get 1) (i32.const 10)) (local.get 2))))
    (i32.const 0))
  (func (export "proxy_on_upstream_connection_close") (param i32 i32)
    (call $log_number (i32.add (i32.const 50) (local.get 1))))
  (func (export "proxy_on_downstream_connection_close") (param i32 i32)
    (call $log_number (i32.add (i32.const 60) (local.get 1))))
  (func (export "proxy_on_done") (param i32) (result i32) (call $log_number (i32.const 7)) (i32.const 1))
  (func (export "proxy_on_log") (param i32) (call $log_number (i32.const 8)))
  (func (export "proxy_on_delete") (param i32) (call $log_number (i32.const 9))))");

std::string tail(const RecordingLog& log, const std::string& prefix) {
  std::string all;
  for (const auto& line : log.lines())
    if (line.text.starts_with(prefix)) all += (all.empty() ? "" : " ") + line.text.substr(prefix.size());
  return all;
}

TEST_P(HostTcp, CallbacksComeInEnvoysOrder) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, kTracing);
  auto connection = proxy.connection(plugin);
  EXPECT_TRUE(connection->context().wants_downstream_data());
  EXPECT_TRUE(connection->context().wants_upstream_data());
  EXPECT_EQ(connection->open(), Action::kContinue);
  EXPECT_EQ(connection->receive(Peer::kDownstream, "abc"), Action::kContinue);
  EXPECT_EQ(connection->receive(Peer::kUpstream, "defgh", true), Action::kContinue);
  connection->close_upstream(PeerType::kUnknown);
  connection->finish(PeerType::kRemote);
  EXPECT_EQ(tail(proxy.log(), "wasm log test: "), "1 2 330 451 50 62 7 8 9");
  EXPECT_EQ(connection->to_upstream, "abc");
  EXPECT_EQ(connection->to_downstream, "defgh");
}

TEST_P(HostTcp, AGuestWithoutCallbacksLetsEverythingPass) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest("", ""));
  auto connection = proxy.connection(plugin);
  EXPECT_FALSE(connection->context().wants_downstream_data());
  EXPECT_FALSE(connection->context().wants_upstream_data());
  EXPECT_EQ(connection->open(), Action::kContinue);
  EXPECT_EQ(connection->receive(Peer::kDownstream, "abc"), Action::kContinue);
  connection->finish();
  EXPECT_FALSE(connection->closed);
}

// Downstream data is replaced as a whole; upstream data gets a byte in front and one behind.
TEST_P(HostTcp, ReadsAndRewritesBytes) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_buffer_bytes", 5) +
                                       import_proxy("set_buffer_bytes", 5) + import_proxy("get_buffer_status", 3),
                                   kLogNumber + R"(
    (data (i32.const 100) "new<>")
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
      (drop (call $get_buffer_bytes (i32.const 2) (i32.const 1) (i32.const 2) (i32.const 0) (i32.const 4)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 0)) (i32.load (i32.const 4))))
      (call $log_number (call $get_buffer_status (i32.const 3) (i32.const 0) (i32.const 4)))
      (drop (call $set_buffer_bytes (i32.const 2) (i32.const 0) (i32.const -1) (i32.const 100) (i32.const 3)))
      (i32.const 0))
    (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32)
      (drop (call $set_buffer_bytes (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 103) (i32.const 1)))
      (drop (call $set_buffer_bytes (i32.const 3) (i32.const -1) (i32.const 0) (i32.const 104) (i32.const 1)))
      (i32.const 0)))"));
  auto connection = proxy.connection(plugin);
  connection->open();
  EXPECT_EQ(connection->receive(Peer::kDownstream, "abcd"), Action::kContinue);
  EXPECT_EQ(connection->to_upstream, "new");
  EXPECT_EQ(connection->receive(Peer::kUpstream, "answer"), Action::kContinue);
  EXPECT_EQ(connection->to_downstream, "<answer>");
  EXPECT_EQ(tail(proxy.log(), "wasm log test: "),
            "bc 0");  // the middle; there is no upstream data yet, which is as good as empty
}

// Pauses until the bytes are four; the tick lets both directions go on. Statuses of the host calls are logged.
const std::string kGathering =
    guest(import_proxy("log", 3) + import_proxy("continue_stream", 1) + import_proxy("set_effective_context", 1) +
              import_proxy("set_tick_period_milliseconds", 1),
          kLogNumber + R"(
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $set_tick_period_milliseconds (i32.const 100))) (i32.const 1))
  (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
    (i32.lt_u (local.get 1) (i32.const 4)))
  (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_tick") (param i32)
    (if (i32.eqz (call $set_effective_context (i32.const 2)))
      (then
        (call $log_number (call $continue_stream (i32.const 2)))
        (call $log_number (call $continue_stream (i32.const 3)))
        (call $log_number (call $continue_stream (i32.const 0)))
        (call $log_number (call $continue_stream (i32.const 4)))))))");

TEST_P(HostTcp, PausedBytesComeAgainWithTheNext) {
  TestProxy proxy(options());
  auto connection = proxy.connection(load(proxy, kGathering));
  connection->open();
  EXPECT_EQ(connection->receive(Peer::kDownstream, "ab"), Action::kPause);
  EXPECT_EQ(connection->to_upstream, "");
  EXPECT_EQ(connection->receive(Peer::kDownstream, "cd"), Action::kContinue);
  EXPECT_EQ(connection->to_upstream, "abcd");
}

TEST_P(HostTcp, OnlyTheClientsBytesGoOnFromATimer) {
  TestProxy proxy(options());
  auto connection = proxy.connection(load(proxy, kGathering));
  connection->open();
  connection->receive(Peer::kDownstream, "ab");
  connection->receive(Peer::kUpstream, "cd");
  proxy.advance(100ms);
  EXPECT_EQ(connection->continued, std::vector{Peer::kDownstream});
  EXPECT_EQ(connection->to_upstream, "ab");
  EXPECT_EQ(connection->to_downstream, "");
  // Unimplemented; HTTP's direction is Ok and does nothing; BadArgument.
  EXPECT_EQ(tail(proxy.log(), "wasm log test: "), "0 12 0 2");
}

// on_new_connection closes downstream, on_upstream_data upstream; the HTTP functions do nothing to connections.
TEST_P(HostTcp, ClosesFromEitherSideOnce) {
  TestProxy proxy(options());
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("close_stream", 1) + import_proxy("send_local_response", 8),
                   kLogNumber + R"(
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
      (call $log_number (call $close_stream (i32.const 0)))
      (call $log_number (call $send_local_response (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))
      (call $log_number (call $close_stream (i32.const 2)))
      (i32.const 0))
    (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32)
      (call $log_number (call $close_stream (i32.const 3))) (i32.const 0)))"));
  auto connection = proxy.connection(plugin);
  connection->open();
  EXPECT_EQ(connection->receive(Peer::kDownstream, "a"), Action::kPause);
  EXPECT_EQ(connection->closed, "wasm_downstream_close");
  EXPECT_EQ(connection->receive(Peer::kUpstream, "b"), Action::kPause);
  EXPECT_EQ(connection->closes, 1u);
  EXPECT_EQ(tail(proxy.log(), "wasm log test: "), "0 0 0 0");
  auto other = proxy.connection(plugin);
  other->open();
  EXPECT_EQ(other->receive(Peer::kUpstream, "b"), Action::kPause);
  EXPECT_EQ(other->closed, "wasm_upstream_close");
}

TEST_P(HostTcp, TcpDirectionsAreNotForHttpStreams) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("close_stream", 1) +
                                       import_proxy("continue_stream", 1) + import_proxy("get_buffer_status", 3),
                                   kLogNumber + R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $close_stream (i32.const 2)))
      (call $log_number (call $continue_stream (i32.const 3)))
      (call $log_number (call $get_buffer_status (i32.const 2) (i32.const 0) (i32.const 4)))
      (i32.const 0)))"));
  proxy.stream(plugin, {{":path", "/"}})->request_headers();
  EXPECT_EQ(tail(proxy.log(), "wasm log test: "), "0 12 0");  // Ok, Unimplemented, Ok and empty
}

TEST_P(HostTcp, ReadsAndSetsProperties) {
  TestProxy proxy(options());
  auto& plugin = load(
      proxy,
      guest(import_proxy("log", 3) + import_proxy("get_property", 4) + import_proxy("set_property", 4), kLogNumber + R"(
    (data (i32.const 100) "source\00address" "seen" "yes")
    (func (export "proxy_on_new_connection") (param i32) (result i32)
      (call $log_number (call $get_property (i32.const 100) (i32.const 14) (i32.const 0) (i32.const 4)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 0)) (i32.load (i32.const 4))))
      (call $log_number (call $set_property (i32.const 114) (i32.const 4) (i32.const 118) (i32.const 3)))
      (i32.const 0)))"));
  auto connection = proxy.connection(plugin);
  connection->properties["source.address"] = "10.0.0.1:9";
  connection->open();
  EXPECT_EQ(tail(proxy.log(), "wasm log test: "), "0 10.0.0.1:9 0");
  EXPECT_EQ(connection->filter_state["wasm.seen"], "yes");
}

// The connection waits for a call's answer, which comes to the root context.
TEST_P(HostTcp, AnAnswerLetsTheConnectionGoOn) {
  TestProxy proxy(options());
  proxy.worker().upstreams().answer("auth", "/", {});
  auto& plugin = load(proxy, guest(import_proxy("http_call", 10) + import_proxy("set_effective_context", 1) +
                                       import_proxy("continue_stream", 1),
                                   R"(
    (data (i32.const 100) "auth")
    (data (i32.const 200) "\03\00\00\00\05\00\00\00\01\00\00\00\07\00\00\00\03\00\00\00\0a\00\00\00\01\00\00\00"
      ":path\00/\00:method\00GET\00:authority\00a\00")
    (func (export "proxy_on_new_connection") (param i32) (result i32)
      (drop (call $http_call (i32.const 100) (i32.const 4) (i32.const 200) (i32.const 61) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 0)))
      (i32.const 1))
    (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
      (drop (call $set_effective_context (i32.const 2)))
      (drop (call $continue_stream (i32.const 2)))))"));
  auto connection = proxy.connection(plugin);
  EXPECT_EQ(connection->open(), Action::kPause);
  EXPECT_TRUE(connection->continued.empty());
  proxy.advance(1s);
  EXPECT_EQ(connection->continued, std::vector{Peer::kDownstream});
}

TEST_P(HostTcp, DeleteWaitsForNoProxyDone) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3), kLogNumber + R"(
    (func (export "proxy_on_done") (param i32) (result i32) (call $log_number (i32.const 7)) (i32.const 0))
    (func (export "proxy_on_log") (param i32) (call $log_number (i32.const 8)))
    (func (export "proxy_on_delete") (param i32) (call $log_number (i32.const 9))))"));
  proxy.connection(plugin)->finish();
  EXPECT_EQ(tail(proxy.log(), "wasm log test: "), "7 8 9");
}

// Whichever callback traps: it is contained, and the connection gets its policy.
TEST_P(HostTcp, ATrapInAnyCallbackGetsThePolicy) {
  // When the policy is to refuse: whether the bytes are stopped, and whether the connection is closed; it is not when
  // it is over anyway.
  struct Case {
    const char* callback;
    const char* type;
    const char* body;
    bool stops;
    bool closes;
  };
  const Case cases[] = {
      {"proxy_on_context_create", "(param i32 i32)", "(if (local.get 1) (then unreachable))", true, true},
      {"proxy_on_new_connection", "(param i32) (result i32)", "unreachable", true, true},
      {"proxy_on_downstream_data", "(param i32 i32 i32) (result i32)", "unreachable", true, true},
      {"proxy_on_upstream_data", "(param i32 i32 i32) (result i32)", "unreachable", true, true},
      {"proxy_on_upstream_connection_close", "(param i32 i32)", "unreachable", false, true},
      {"proxy_on_downstream_connection_close", "(param i32 i32)", "unreachable", false, true},
      {"proxy_on_done", "(param i32) (result i32)", "unreachable", false, false},
      {"proxy_on_log", "(param i32)", "unreachable", false, false},
      {"proxy_on_delete", "(param i32)", "unreachable", false, false},
  };
  for (const FailurePolicy policy :
       {FailurePolicy::kFailClosed, FailurePolicy::kFailOpen, FailurePolicy::kFailReload}) {
    for (const Case& c : cases) {
      SCOPED_TRACE(c.callback);
      TestProxy proxy(options());
      const std::string text = std::string("(func (export \"") + c.callback + "\") " + c.type + " " + c.body + ")";
      auto& plugin = load(proxy, guest("", text), config(policy));
      auto connection = proxy.connection(plugin);
      const bool open = policy == FailurePolicy::kFailOpen;
      EXPECT_EQ(connection->bypassed(), open && c.callback == cases[0].callback);
      if (!connection->bypassed()) {
        connection->open();
        connection->receive(Peer::kDownstream, "abc");
        connection->receive(Peer::kUpstream, "def");
        connection->close_upstream(PeerType::kUnknown);
        connection->finish();
        EXPECT_EQ(connection->to_upstream + connection->to_downstream == "abcdef", open || !c.stops);
      }
      EXPECT_EQ(proxy.log().count("has failed"), 1u);
      EXPECT_EQ(connection->closes, !open && c.closes ? 1u : 0u);
      EXPECT_EQ(connection->closed.value_or("wasm_fail_stream"), "wasm_fail_stream");
      EXPECT_FALSE(plugin.healthy());
      proxy.advance(10s);
      EXPECT_EQ(plugin.healthy(), policy == FailurePolicy::kFailReload);
    }
  }
}

// Two kinds of flow in one VM: a connection's trap takes the waiting connections with it, as their policy says.
TEST_P(HostTcp, WaitingConnectionsGetThePolicyOfTheirPlugin) {
  const std::string text = guest("", R"(
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
      (if (i32.eq (local.get 1) (i32.const 1)) (then unreachable)) (i32.const 1)))");
  for (const bool open : {false, true}) {
    TestProxy proxy(options());
    auto& plugin = load(proxy, text, config(open ? FailurePolicy::kFailOpen : FailurePolicy::kFailClosed));
    auto waiting = proxy.connection(plugin);
    waiting->open();
    EXPECT_EQ(waiting->receive(Peer::kDownstream, "abc"), Action::kPause);
    auto trapping = proxy.connection(plugin);
    trapping->open();
    EXPECT_EQ(trapping->receive(Peer::kDownstream, "x"), open ? Action::kContinue : Action::kPause);
    EXPECT_FALSE(waiting->closed);
    proxy.run();
    EXPECT_EQ(waiting->closed.has_value(), !open);
    EXPECT_EQ(waiting->to_upstream, open ? "abc" : "");
    auto later = proxy.connection(plugin);
    EXPECT_EQ(later->bypassed(), open);
    if (open) continue;
    EXPECT_TRUE(later->context().wants_downstream_data());
    EXPECT_EQ(later->open(), Action::kPause);
    EXPECT_EQ(later->closed, "wasm_fail_stream");
  }
}

}  // namespace
}  // namespace inlay::host
