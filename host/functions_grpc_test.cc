// SPDX-License-Identifier: Apache-2.0
// gRPC call-outs as a guest sees them: what is refused at once, the callbacks of calls and of streams, and their end.

#include <functional>

#include "host/functions_fixture.h"
#include "host/guest_limits.h"

namespace inlay::host {
namespace {

class HostGrpc : public GuestTest {
 protected:
  // Loads a guest and sends it a request's headers, whose stream stays until `then` has run; what it has logged.
  std::string run(
      TestProxy& proxy, const std::string& wat, const std::function<void()>& then = [] {}) {
    auto& plugin = load(proxy, wat);
    auto stream = proxy.stream(plugin, kRequest);
    stream->request_headers();
    proxy.advance(1ms);
    then();
    return story(proxy);
  }
};
INLAY_BOTH_ENGINES(HostGrpc);

const std::string kImports = import_proxy("log", 3) + import_proxy("grpc_call", 12) + import_proxy("grpc_stream", 9) +
                             import_proxy("grpc_send", 4) + import_proxy("grpc_close", 1) +
                             import_proxy("grpc_cancel", 1) + import_proxy("get_status", 3) +
                             import_proxy("get_buffer_bytes", 5) + import_proxy("get_header_map_value", 5);

// Memory: the target "rpc" at 0, "a.B" at 8, "C" at 16, the message "hi" at 24, the token at 40. Each callback logs
// its name, its arguments, and what it shows.
const std::string kGuest = R"(
  (data (i32.const 0) "rpc") (data (i32.const 8) "a.B") (data (i32.const 16) "C") (data (i32.const 24) "hi")
  (data (i32.const 100) "initialmessagetrailingclosex-up")
  (func $say (param i32 i32) (drop (call $log (i32.const 2) (local.get 0) (local.get 1))))
  (func $unary (param $target_size i32) (param $timeout i32)
    (call $log_number (call $grpc_call (i32.const 0) (local.get $target_size) (i32.const 8) (i32.const 3) (i32.const 16)
      (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 24) (i32.const 2) (local.get $timeout) (i32.const 40)))
    (call $log_number (i32.load (i32.const 40))))
  (func $open (param $target_size i32)
    (call $log_number (call $grpc_stream (i32.const 0) (local.get $target_size) (i32.const 8) (i32.const 3)
      (i32.const 16) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 40)))
    (call $log_number (i32.load (i32.const 40))))
  (func $send (param $token i32) (param $end i32)
    (call $log_number (call $grpc_send (local.get $token) (i32.const 24) (i32.const 2) (local.get $end))))
  (func $show_message
    (if (i32.eqz (call $get_buffer_bytes (i32.const 5) (i32.const 0) (i32.const 100) (i32.const 48) (i32.const 52)))
      (then (call $say (i32.load (i32.const 48)) (i32.load (i32.const 52))))))
  (func (export "proxy_on_grpc_receive_initial_metadata") (param i32 i32 i32)
    (call $say (i32.const 100) (i32.const 7)) (call $log_number (local.get 1)) (call $log_number (local.get 2))
    (if (i32.eqz (call $get_header_map_value (i32.const 4) (i32.const 127) (i32.const 4) (i32.const 48) (i32.const 52)))
      (then (call $say (i32.load (i32.const 48)) (i32.load (i32.const 52))))))
  (func (export "proxy_on_grpc_receive") (param i32 i32 i32)
    (call $say (i32.const 107) (i32.const 7)) (call $log_number (local.get 1)) (call $log_number (local.get 2))
    (call $show_message))
  (func (export "proxy_on_grpc_receive_trailing_metadata") (param i32 i32 i32)
    (call $say (i32.const 114) (i32.const 8)) (call $log_number (local.get 1)) (call $log_number (local.get 2)))
  (func (export "proxy_on_grpc_close") (param i32 i32 i32)
    (call $say (i32.const 122) (i32.const 5)) (call $log_number (local.get 1)) (call $log_number (local.get 2))
    (drop (call $get_status (i32.const 44) (i32.const 48) (i32.const 52)))
    (call $log_number (i32.load (i32.const 44)))
    (call $say (i32.load (i32.const 48)) (i32.load (i32.const 52)))))";

std::string doing(const std::string& body) {
  return guest(kImports, kLogNumber + kGuest + on_request_headers(body));
}
const std::string kCall = "(call $unary (i32.const 3) (i32.const 500))";
const std::string kStream = "(call $open (i32.const 3)) (call $send (i32.load (i32.const 40)) (i32.const 1))";

TEST_P(HostGrpc, ACallGivesItsMessage) {
  TestProxy proxy(options());
  auto& upstreams = proxy.worker().upstreams();
  upstreams.answer("rpc", "/a.B/C", grpc_answer({"yes"}));
  EXPECT_EQ(run(proxy, doing(kCall)), "0 5 message 5 3 yes");
  const RecordedCall& call = upstreams.calls().at(0);
  EXPECT_EQ(call.body, grpc_frame("hi"));
  EXPECT_EQ(call.header(":method"), "POST");
  EXPECT_EQ(call.header("content-type"), "application/grpc");
  EXPECT_EQ(call.header("grpc-timeout"), "500m");
  EXPECT_EQ(call.timeout, 500ms);
}

TEST_P(HostGrpc, ACallThatFailsGivesItsStatus) {
  struct {
    Answer answer;
    std::string story;
  } const cases[] = {
      {grpc_answer({}, 7, "no"), "7 7 no{via_upstream}"},
      {grpc_answer({"thrown away"}, 7), "7 7 via_upstream"},
      {grpc_answer({}), "13 13 "},
      {{.headers = {{":status", "200"}, {"grpc-status", "5"}}}, "5 5 via_upstream"},
      {{.headers = {{":status", "404"}}}, "12 12 via_upstream"},
      {{.headers = {{":status", "404"}, {"grpc-status", "9"}}}, "9 9 via_upstream"},
      {{.body = grpc_frame("no trailers")}, "2 2 via_upstream"},
      {{.body = std::string("\1\0\0\0\1x", 6)}, "13 13 via_upstream"},
      {{.body = std::string("\0\x7f\0\0\0", 5)}, "8 8 via_upstream"},
      {{.trailers = {{"grpc-status", "x"}}}, "4294967295 4294967295 via_upstream"},
      {{.trailers = {{"t", "u"}}}, "2 2 via_upstream"},
      {{.shape = Answer::Shape::kReset}, "13 13 upstream_reset_after_response_started{connection_termination}"},
  };
  for (const auto& one : cases) {
    TestProxy proxy(options());
    proxy.worker().upstreams().answer("rpc", "/a.B/C", one.answer);
    EXPECT_EQ(run(proxy, doing(kCall)), "0 5 close 5 " + one.story);
  }
}

TEST_P(HostGrpc, ACallIsUnavailableWhenItsTimeIsOver) {
  TestProxy proxy(options());
  proxy.worker().upstreams().add_cluster("rpc");
  EXPECT_EQ(run(proxy, doing(kCall), [&] { proxy.advance(500ms); }),
            "0 5 close 5 14 14 upstream request timeout{response_timeout}");
}

TEST_P(HostGrpc, AStreamHasAllCallbacksInOrder) {
  TestProxy proxy(options());
  auto& upstreams = proxy.worker().upstreams();
  upstreams.add_cluster("rpc");
  const std::string seen = run(proxy, doing(kStream), [&] {
    upstreams.respond_headers(0, {{":status", "200"}, {"x-up", "1"}}, false);
    upstreams.respond_data(0, grpc_frame("one").substr(0, 6), false);
    upstreams.respond_data(0, grpc_frame("one").substr(6) + grpc_frame(""), false);
    upstreams.respond_trailers(0, {{"grpc-status", "0"}, {"grpc-message", "fine"}});
  });
  EXPECT_EQ(seen, "0 6 0 initial 6 2 1 message 6 3 one message 6 0  trailing 6 2 close 6 0 0 fine{via_upstream}");
  EXPECT_EQ(upstreams.calls().at(0).body, grpc_frame("hi"));
  EXPECT_EQ(upstreams.calls()[0].header("grpc-timeout"), "");
}

TEST_P(HostGrpc, AStreamThatIsRefusedHasThemToo) {
  TestProxy proxy(options());
  proxy.worker().upstreams().answer("rpc", "/a.B/C", {.headers = {{":status", "503"}, {"a", "b"}}});
  EXPECT_EQ(run(proxy, doing(kStream)), "0 6 0 initial 6 0 trailing 6 0 close 6 14 14 via_upstream");
}

TEST_P(HostGrpc, TargetsThatAreNone) {
  TestProxy proxy(options());
  proxy.worker().upstreams().add_cluster("rpc");
  // "rp", a cluster that is not there: ParseFailure, and no token is spent.
  EXPECT_EQ(run(proxy, doing("(call $unary (i32.const 2) (i32.const 0)) (call $open (i32.const 2))" + kStream)),
            "4 0 4 0 0 6 0");
}

// GrpcService{envoy_grpc{cluster_name: "no"}}: begun and closed at once, for a token that the guest does not have.
TEST_P(HostGrpc, AClusterOfAServiceThatIsNotThere) {
  TestProxy proxy(options());
  EXPECT_EQ(
      run(proxy,
          doing(R"((i64.store (i32.const 0) (i64.const 0x6f6e020a040a)) (call $unary (i32.const 6) (i32.const 0)))")),
      "10 0 close 5 14 14 Cluster not available");
}

// GrpcService{google_grpc{}}
TEST_P(HostGrpc, GoogleGrpcIsRefusedAloud) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, doing("(i32.store16 (i32.const 0) (i32.const 0x12)) (call $unary (i32.const 2) (i32.const 0))"));
  proxy.stream(plugin, kRequest)->request_headers();
  bool told = false;
  for (const auto& line : proxy.log().lines()) told = told || line.text.find("google_grpc") != std::string::npos;
  EXPECT_TRUE(told);
  EXPECT_EQ(story(proxy), "2 0");
}

TEST_P(HostGrpc, TokensThatAreNone) {
  TestProxy proxy(options());
  std::string body;
  for (const int token : {0, 1, 2, 3, 4})
    for (const char* const name : {"grpc_close", "grpc_cancel"})
      body += "(call $log_number (call $" + std::string(name) + " (i32.const " + std::to_string(token) + ")))";
  for (const int token : {1, 2, 3}) body += "(call $send (i32.const " + std::to_string(token) + ") (i32.const 0))";
  EXPECT_EQ(run(proxy, doing(body)), "2 2 1 1 1 1 2 2 2 2 2 1 2");
}

TEST_P(HostGrpc, ACancelledCallIsSilent) {
  TestProxy proxy(options());
  auto& upstreams = proxy.worker().upstreams();
  upstreams.answer("rpc", "/a.B/C", grpc_answer({"late"}));
  EXPECT_EQ(run(proxy, doing(kCall + kStream + R"(
    (call $log_number (call $grpc_cancel (i32.const 5))) (call $log_number (call $grpc_cancel (i32.const 5)))
    (call $log_number (call $grpc_cancel (i32.const 6))) (call $send (i32.const 6) (i32.const 0)))")),
            "0 5 0 6 0 0 1 0 1");
  for (const auto& call : upstreams.calls()) EXPECT_TRUE(call.cancelled);
}

// Half-closed by the guest, it goes on; ended by the server, it is there until it is closed.
TEST_P(HostGrpc, CloseEndsWhatIsSent) {
  TestProxy proxy(options());
  auto& upstreams = proxy.worker().upstreams();
  upstreams.answer("rpc", "/a.B/C", grpc_answer({"yes"}));
  auto& plugin = load(proxy, doing(R"(
    (if (i32.eqz (i32.load (i32.const 40)))
      (then (call $open (i32.const 3)) (call $log_number (call $grpc_close (i32.const 6))) (call $open (i32.const 3))
        (call $send (i32.const 10) (i32.const 1)))
      (else (call $log_number (call $grpc_close (i32.const 6)))
        (call $send (i32.const 10) (i32.const 0)) (call $log_number (call $grpc_close (i32.const 10)))
        (call $log_number (call $grpc_close (i32.const 10))))))"));
  auto first = proxy.stream(plugin, kRequest);
  first->request_headers();
  EXPECT_EQ(story(proxy), "0 6 0 0 10 0");
  EXPECT_TRUE(upstreams.calls().at(0).complete);
  EXPECT_EQ(upstreams.calls()[0].body, "");
  proxy.advance(1ms);
  story(proxy);
  auto second = proxy.stream(plugin, kRequest);
  second->request_headers();
  EXPECT_EQ(story(proxy), "1 0 0 1");
}

TEST_P(HostGrpc, CallsEndWithTheirVm) {
  TestProxy proxy(options());
  auto& upstreams = proxy.worker().upstreams();
  upstreams.answer("rpc", "/a.B/C", grpc_answer({"late"}));
  auto& plugin = load(proxy, doing(kCall + kStream + "(unreachable)"));
  proxy.stream(plugin, kRequest)->request_headers();
  story(proxy);
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy).find("message"), std::string::npos);
  for (const auto& call : upstreams.calls()) EXPECT_TRUE(call.cancelled);
}

// Outside of the guest's memory.
TEST_P(HostGrpc, BadAddresses) {
  TestProxy proxy(options());
  proxy.worker().upstreams().add_cluster("rpc");
  EXPECT_EQ(run(proxy, doing("(call $unary (i32.const -1) (i32.const 0)) (call $open (i32.const -1))" + kStream + R"(
    (call $log_number (call $grpc_send (i32.const 6) (i32.const -4) (i32.const 100) (i32.const 0))))")),
            "6 0 6 0 0 6 0 6");
}

// 16 MiB each, which nobody takes: the fifth has no room, nor has what comes with metadata, until one has ended.
TEST_P(HostGrpc, WhatCallsHoldIsBounded) {
  TestProxy proxy(options());
  auto& upstreams = proxy.worker().upstreams();
  upstreams.add_cluster("rpc");
  const std::string large = "(call $large)";
  const std::string wat = guest(kImports, kLogNumber + kGuest + R"(
    (func $large
      (call $log_number (call $grpc_call (i32.const 0) (i32.const 3) (i32.const 8) (i32.const 3) (i32.const 16)
        (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16000000) (i32.const 0) (i32.const 40)))))" +
                                              on_request_headers("(drop (memory.grow (i32.const 260)))" + large +
                                                                 large + large + large + large + kStream));
  EXPECT_EQ(run(proxy, wat), "0 0 0 0 10 0 6 0");
}

}  // namespace
}  // namespace inlay::host
