// SPDX-License-Identifier: Apache-2.0
// host/standalone.h: what an embedder without an event loop runs guests with.

#include "host/standalone.h"

#include <sstream>

#include "compiler/compiler.h"
#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostStandalone : public GuestTest {
 protected:
  // Runs the guest on one request.
  void run(const std::string& text, bool response_begun = false) {
    compiler::LoadOptions load;
    load.kind = GetParam();
    load.tiering = false;
    const auto module = compiler::load_module(wasm(text), load);
    ASSERT_TRUE(module) << module.error().to_string();
    Host host({.metrics = &metrics_, .clock = &clock_, .log = &log_});
    const auto plugin = host.create_plugin({.name = "test"}, *module);
    ASSERT_TRUE(plugin) << plugin.error().to_string();
    Worker worker(host, services_);
    request_.request_headers.add(":path", "/");
    HttpContext* const context = worker.attach(*plugin)->create_http_context(request_);
    ASSERT_NE(context, nullptr);
    status_ = context->on_request_headers(true);
    if (response_begun) {
      request_.response_headers.emplace().add(":status", "200");
      context->on_response_headers(true);
    }
    context->on_log();
    context->destroy();
    services_.run_posted();
  }

  stats::MetricStore metrics_;
  SystemClock clock_;
  std::ostringstream lines_;
  LineLog log_{lines_};
  NoServices services_;
  StandaloneRequest request_;
  abi::HeadersStatus status_{};
};
INLAY_BOTH_ENGINES(HostStandalone);

TEST_P(HostStandalone, AGuestSetsHeadersAndState) {
  run(guest(import_proxy("log", 3) + import_proxy("replace_header_map_value", 5) + import_proxy("set_property", 4) +
                import_proxy("get_property", 4),
            kLogNumber + R"(
    (data (i32.const 0) "x-greetinghellomine")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 10) (i32.const 10)
        (i32.const 5)))
      (call $log_number (call $get_property (i32.const 15) (i32.const 4) (i32.const 64) (i32.const 68)))
      (call $log_number (call $set_property (i32.const 15) (i32.const 4) (i32.const 10) (i32.const 5)))
      (call $log_number (call $get_property (i32.const 15) (i32.const 4) (i32.const 64) (i32.const 68)))
      (i32.const 0)))"));
  EXPECT_EQ(status_, abi::HeadersStatus::kContinue);
  EXPECT_EQ(request_.request_headers.get("x-greeting"), "hello");
  EXPECT_EQ(request_.filter_state["mine"], "hello");
  EXPECT_FALSE(request_.local_reply);
  std::string numbers;
  for (const char c : lines_.str()) numbers += c >= '0' && c <= '9' ? std::string(1, c) : "";
  EXPECT_EQ(numbers, "0100") << lines_.str();
  EXPECT_EQ(lines_.str().rfind("[info][wasm] ", 0), 0u) << lines_.str();
}

constexpr const char* kReply = R"(
    (data (i32.const 0) "because")
    (func $reply (drop (call $send_local_response (i32.const 403) (i32.const 0) (i32.const 7) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))))";

TEST_P(HostStandalone, AnAnswerOfTheGuestsIsHeld) {
  run(guest(import_proxy("send_local_response", 8), std::string(kReply) + R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $reply) (i32.const 1)))"));
  EXPECT_NE(status_, abi::HeadersStatus::kContinue);
  ASSERT_TRUE(request_.local_reply);
  EXPECT_EQ(request_.local_reply->status, 403u);
  EXPECT_EQ(request_.local_reply->details, "because");
  EXPECT_FALSE(request_.reset_details);
}

TEST_P(HostStandalone, AfterTheResponseItIsAReset) {
  run(guest(import_proxy("send_local_response", 8), std::string(kReply) + R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (call $reply) (i32.const 1)))"),
      true);
  EXPECT_FALSE(request_.local_reply);
  EXPECT_EQ(request_.reset_details, "because");
}

TEST_P(HostStandalone, ACallOutFindsNoCluster) {
  run(guest(import_proxy("log", 3) + import_proxy("http_call", 10),
            kLogNumber + R"(
    (data (i32.const 0) "nowhere")
    ;; two headers: their number, the lengths of names and values, then each with a NUL behind it
    (data (i32.const 16) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\01\00\00\00\0a\00\00\00\01\00\00\00)"
                         R"(:method\00GET\00:path\00/\00:authority\00a\00")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $http_call (i32.const 0) (i32.const 7) (i32.const 16) (i32.const 61) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 128)))
      (i32.const 0)))"));
  EXPECT_EQ(status_, abi::HeadersStatus::kContinue);
  EXPECT_NE(lines_.str().find("2\n"), std::string::npos) << lines_.str();  // kBadArgument
}

TEST(NoServices, RunsWhatIsPostedInItsOrderAndWhatThatPosts) {
  NoServices services;
  std::string order;
  services.post([&] {
    order += 'a';
    services.post([&] { order += 'c'; });
  });
  services.post([&] { order += 'b'; });
  EXPECT_EQ(order, "");
  services.run_posted();
  services.run_posted();
  EXPECT_EQ(order, "abc");
}

TEST(LineLog, LeavesOutWhatIsBelowItsLevel) {
  std::ostringstream lines;
  LineLog log(lines, abi::LogLevel::kWarn);
  log.write(abi::LogLevel::kInfo, "wasm", "no");
  log.write(abi::LogLevel::kError, "wasm", "yes");
  EXPECT_EQ(lines.str(), "[error][wasm] yes\n");
}

}  // namespace
}  // namespace inlay::host
