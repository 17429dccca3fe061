// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/phases.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"
#include "compiler/compiler.h"
#include "tester/textpb/inputs.h"
#include "testkit/guest_fixture.h"

namespace inlay::tester::textpb {
namespace {

using namespace std::chrono_literals;

// Adds "x-a: 1" to requests, answers 403 to responses, and traps at a body.
const std::string kGuest = testkit::guest(
    testkit::import_proxy("add_header_map_value", 5) + testkit::import_proxy("send_local_response", 8) +
        testkit::import_proxy("log", 3),
    R"((data (i32.const 100) "x-a") (data (i32.const 110) "1") (data (i32.const 120) "no") (data (i32.const 130) "seen")
       (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
         (drop (call $log (i32.const 2) (i32.const 130) (i32.const 4)))
         (drop (call $add_header_map_value (i32.const 0) (i32.const 100) (i32.const 3) (i32.const 110) (i32.const 1)))
         (i32.const 0))
       (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
         (drop (call $send_local_response (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 120) (i32.const 2)
           (i32.const 0) (i32.const 0) (i32.const -1)))
         (i32.const 1))
       (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (unreachable)))");

// What is wrong with the first test of a file: "3: request_headers: ..." each.
std::vector<std::string> run(const std::string& text, const std::string& path = "x.textpb",
                             const std::string& guest = kGuest) {
  const auto suite = read_suite(text, path);
  EXPECT_TRUE(suite) << suite.error().to_string();
  const auto bytes = compiler::wat_to_wasm(guest);
  const auto module = compiler::load_module(*bytes, {.kind = engine::EngineKind::kInterp});
  std::vector<std::string> said;
  for (const auto& failure : run_phases(*suite, suite->tests.at(0), {*module, "", 10s})) {
    said.push_back(std::to_string(failure.line) + ": " + failure.what);
  }
  return said;
}

using Said = std::vector<std::string>;

TEST(Phases, WhatIsAsItHasToBePasses) {
  EXPECT_EQ(run(R"(test { name: "a"
    request_headers { result { has_header { key: "X-A" value: "1" } log { exact: "seen" } } }
    response_headers { result { immediate { http_status: 403 } body { exact: "no" } } } })"),
            Said{});
}

TEST(Phases, EachExpectationThatIsNotMetIsSaid) {
  EXPECT_EQ(
      run(R"(test { name: "a" request_headers { result {
has_header { key: "x-b" value: "1" }
has_header { key: "x-a" value: "2" }
no_header { key: "x-a" }
headers { exact: "x-a: 3" }
headers { invert: true regex: "x-a.*" }
log { regex: "see" }
immediate {} } } })"),
      (Said{"2: request_headers: there is no header \"x-b\"",
            "3: request_headers: header \"x-a\" is \"1\", and has to be \"2\"",
            "4: request_headers: header \"x-a\" is there, and is \"1\"", "5: request_headers: no header is \"x-a: 3\"",
            "6: request_headers: a header is /x-a.*/, and none may be",
            "1: request_headers: an immediate response is expected, and the plugin has sent none",
            "7: request_headers: no log line is /see/"}));
}

TEST(Phases, AnAnswerThatNobodyExpectsFails) {
  EXPECT_EQ(run("test { name: 'a' response_headers {} }"),
            (Said{"1: response_headers: the plugin answers with 403, and no `immediate` is expected"}));
  EXPECT_EQ(run("test { name: 'a' response_headers { result { immediate { http_status: 404 details: 'x' } } } }"),
            (Said{"1: response_headers: its status is 403, and has to be 404",
                  "1: response_headers: its details is \"\", and has to be \"x\""}));
}

TEST(Phases, AGuestThatTrapsEndsTheTest) {
  EXPECT_EQ(run("test { name: 'a' request_body { input { content: 'x' } }\n response_headers {} }"),
            (Said{"1: request_body: the guest has failed"}));
}

TEST(Phases, BothClocksSayTheSuitesTime) {
  // Logs the low word of the milliseconds that each clock says, and traps at 0, as Go's runtime does.
  const std::string guest = testkit::guest(
      testkit::import_proxy("log", 3) +
          R"((import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32))))",
      testkit::kLogNumber + R"((func $say (param $clock i32)
           (drop (call $time (local.get $clock) (i64.const 1) (i32.const 50000)))
           (if (i64.eqz (i64.load (i32.const 50000))) (then (unreachable)))
           (call $log_number (i32.wrap_i64 (i64.div_u (i64.load (i32.const 50000)) (i64.const 1000000)))))
         (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
           (call $say (i32.const 0)) (call $say (i32.const 1)) (i32.const 0)))");
  EXPECT_EQ(run("env { time_secs: 5 } test { name: 'a' request_headers { result { log { exact: '5000' } "
                "log { invert: true regex: '[^5].*' } } } }",
                "x.textpb", guest),
            Said{});
  EXPECT_EQ(run("test { name: 'a' request_headers { result { log { exact: '1' } } } }", "x.textpb", guest), Said{});
}

TEST(Phases, FilesStandBesideTheSuite) {
  const TemporaryDirectory folder("inlay-phases-");
  std::ofstream(folder.file("r.http")) << "GET / HTTP/1.1\r\nx-b: 2\r\n";
  EXPECT_EQ(run(R"(test { name: "a" request_headers { input { file: "r.http" }
    result { headers { exact: "x-b: 2" } body { file: "nowhere" } } } })",
                folder.file("x.textpb"))
                .size(),
            1u);
  const auto missing = run("test { name: 'a' request_headers { input { file: 'nowhere' } } }", folder.file("x.textpb"));
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_NE(missing[0].find("nowhere"), std::string::npos);
}

TEST(Phases, HeadersThatAreNoneAreSaid) {
  EXPECT_FALSE(parse_headers("GET /", true));
  EXPECT_FALSE(parse_headers("GET path HTTP/1.1", true));
  EXPECT_FALSE(parse_headers("200 OK", false));
  EXPECT_FALSE(parse_headers("GET / HTTP/1.1\nnonsense", true));
  EXPECT_EQ(*parse_headers("GET https://a/ HTTP/1.1", true),
            (Fields{{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}}));
  EXPECT_EQ(parse_headers("GET http://a?b HTTP/1.1", true)->at(2).second, "/?b");
}

}  // namespace
}  // namespace inlay::tester::textpb
