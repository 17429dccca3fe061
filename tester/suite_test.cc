// SPDX-License-Identifier: Apache-2.0
// Whole files, from their text to what is said of them, with filters in WebAssembly text.
#include "tester/suite.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/temporary_directory.h"
#include "compiler/wat.h"
#include "tester/report.h"

namespace inlay::tester {
namespace {

using Kind = TestResult::Kind;

// A filter that logs "denied" and answers every request with 403.
constexpr const char* kDenies = R"(plugin deny guest=wat imports=send_local_response:8,log:3
  (data (i32.const 100) "denied")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $log (i32.const 2) (i32.const 100) (i32.const 6)))
    (drop (call $send_local_response (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 100) (i32.const 6)
      (i32.const 0) (i32.const 0) (i32.const -1)))
    (i32.const 1))
)";
// One that resumes the response before there is one.
constexpr const char* kHazard = R"(plugin a guest=wat imports=continue_stream:1
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $continue_stream (i32.const 1))) (i32.const 0))
)";
constexpr const char* kTraps = R"(plugin a guest=wat
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable))
)";

struct SuiteTest : testing::Test {
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder.file(name)) << text;
    return folder.file(name);
  }
  std::string read(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(folder.file(name)).rdbuf();
    return text.str();
  }
  std::vector<TestResult> run(const std::string& path, SuiteOptions options = {}) {
    Suite suite(std::move(options));
    const auto added = suite.add(path);
    EXPECT_TRUE(added) << added.error().to_string();
    std::vector<TestResult> results;
    suite.run([&](const TestResult& result) { results.push_back(result); });
    EXPECT_EQ(results.size(), suite.total());
    return results;
  }
  // Of a file with one case.
  TestResult run_one(const std::string& text, SuiteOptions options = {}) {
    auto results = run(write("one.case", text), std::move(options));
    EXPECT_EQ(results.size(), 1u);
    return results.at(0);
  }

  const TemporaryDirectory folder{"inlay-tester-"};
};

TEST_F(SuiteTest, ATrapNobodyExpectsShowsWhereTheGuestWas) {
  const std::string text = R"(plugin a guest=wat
  (func $deep (unreachable))
  (func $middle (call $deep))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $middle) (i32.const 0))
client GET /
expect client status 503
)";
  for (const auto engine : {engine::EngineKind::kInterp, engine::EngineKind::kAot}) {
    SuiteOptions options;
    options.engine = engine;
    const TestResult result = run_one(text, options);
    ASSERT_EQ(result.problems.size(), 1u);
    // WebAssembly text loses its names here, as a stripped module has.
    EXPECT_EQ(result.problems[0].seen, "backtrace:\n  0: function 2\n  1: function 3\n  2: function 4");
  }
}

TEST_F(SuiteTest, ABacktraceIsNoPartOfALine) {
  Case c;
  constexpr std::string_view kLine = "the VM of plugin a (FAIL_CLOSED) has failed: unreachable executed in f";
  for (const std::string& end :
       {std::string("\nbacktrace:\n  0: g\n  1: f"), std::string(R"(\nbacktrace:\n  0: g\n  1: f)")}) {
    const LogEntry entry = read_log_line(c, "error", "wasm", std::string(kLine) + end);
    EXPECT_EQ(entry.text, kLine);
    EXPECT_EQ(entry.backtrace, "backtrace:\n  0: g\n  1: f");
  }
  EXPECT_EQ(read_log_line(c, "error", "wasm", kLine).backtrace, "");
}

TEST_F(SuiteTest, CallsAreCountedCaseByCase) {
  SuiteOptions options;
  options.records = true;
  options.jobs = 2;
  write("a.case", std::string(kDenies) + "client GET /\nexpect client status 403\n");
  write("b.case", std::string(kDenies) + "client GET /\nclient GET /\nexpect client status 403\n");
  Suite suite(options);
  ASSERT_TRUE(suite.add(folder.path()));
  std::vector<uint64_t> of_host;
  suite.run([&](const TestResult& result) {
    EXPECT_EQ(result.kind, Kind::kPassed);
    of_host.push_back(result.calls.value().of_host);
    EXPECT_EQ(calls_of(result).find(result.name + ": "), 0u);
  });
  EXPECT_EQ(of_host, (std::vector<uint64_t>{2, 4}));
  const auto coverage = suite.coverage();
  ASSERT_EQ(coverage.size(), 1u) << "of one content";
  EXPECT_EQ(coverage[0].callbacks.at(0).calls, 3u);
  EXPECT_EQ(coverage[0].imports.at(0).calls, 3u);
}

TEST_F(SuiteTest, SingleExpectationsPass) {
  const TestResult result = run_one(std::string(kDenies) + R"(client GET /
expect client status 403
expect client body = denied
expect log = denied
expect no upstream request
client2 POST / "body"
expect client2 status 403
)");
  EXPECT_EQ(result.kind, Kind::kPassed) << describe(result, false);
}

TEST_F(SuiteTest, EachThatFailsIsSaid) {
  const TestResult result = run_one("about: Denied.\n" + std::string(kDenies) +
                                    "client GET /\nexpect client status 200\nexpect log ~ /allowed/\n");
  ASSERT_EQ(result.kind, Kind::kFailed);
  ASSERT_EQ(result.problems.size(), 2u);
  EXPECT_EQ(result.problems[0].place, result.path + ":10");
  EXPECT_EQ(result.problems[0].what, "expect client status 200\nits status is \"403\"");
  EXPECT_EQ(result.problems[0].seen, "") << "what was seen is shown once";
  EXPECT_NE(result.problems[1].seen.find("client got 403"), std::string::npos) << result.problems[1].seen;
  EXPECT_EQ(result.problems[1].what, "expect log ~ /allowed/\nthe log has \"denied\"");
  const std::string text = describe(result, false);
  EXPECT_TRUE(
      text.starts_with("FAILED " + result.path + ": Denied.\n  " + result.path + ":10: expect client status 200\n"))
      << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(describe(result, true).find("\x1b[31mFAILED\x1b[0m"), std::string::npos);
}

TEST_F(SuiteTest, ASnapshotIsWrittenAndThenHolds) {
  const std::string text = std::string(kDenies) + "client GET /\n";
  const TestResult none = run_one(text);
  ASSERT_EQ(none.kind, Kind::kFailed);
  EXPECT_NE(none.problems.at(0).what.find("it expects nothing"), std::string::npos);
  const TestResult written = run_one(text, {.update = true});
  EXPECT_EQ(written.kind, Kind::kPassed) << describe(written, false);
  EXPECT_TRUE(written.written);
  const std::string snapshot = read("one.case");
  EXPECT_EQ(snapshot, text + R"(
#### expect
== client GET /
deny: denied
client got 403 content-length=6 content-type=text/plain
client got body "denied" end
== end
)");
  EXPECT_EQ(run_one(snapshot).kind, Kind::kPassed);
  EXPECT_FALSE(run_one(snapshot, {.update = true}).written);
  EXPECT_EQ(read("one.case"), snapshot);
}

TEST_F(SuiteTest, WhatASnapshotDoesNotHaveIsADifference) {
  const TestResult result =
      run_one(std::string(kDenies) + "client GET /\n#### expect\n== client GET /\ndeny: allowed\n== end\n");
  ASSERT_EQ(result.kind, Kind::kFailed);
  EXPECT_NE(result.problems.at(0).seen.find("- deny: allowed\n+ deny: denied\n"), std::string::npos)
      << result.problems[0].seen;
}

TEST_F(SuiteTest, UpdateLeavesCasesWithSingleExpectationsAlone) {
  const std::string text = std::string(kDenies) + "client GET /\nexpect client status 200\n";
  const TestResult result = run_one(text, {.update = true});
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_EQ(read("one.case"), text);
}

TEST_F(SuiteTest, AHazardFailsUnlessItIsExpected) {
  const TestResult result = run_one(std::string(kHazard) + "client GET /\nexpect client status 200\n");
  ASSERT_EQ(result.kind, Kind::kFailed);
  EXPECT_NE(result.problems.at(0).what.find("in Envoy this ends the process (hazard resume_before_response)"),
            std::string::npos)
      << result.problems[0].what;
  for (const char* const line : {"expect hazard", "expect hazard resume_before_response"}) {
    EXPECT_EQ(run_one(std::string(kHazard) + "client GET /\n" + line + "\n").kind, Kind::kPassed) << line;
  }
  // A snapshot has the line, and is not enough.
  EXPECT_EQ(run_one(std::string(kHazard) + "client GET /\n", {.update = true}).kind, Kind::kFailed);
}

TEST_F(SuiteTest, ATrapFailsUnlessItIsExpectedOrInASnapshot) {
  EXPECT_EQ(run_one(std::string(kTraps) + "client GET /\nexpect client status 503\n").kind, Kind::kFailed);
  EXPECT_EQ(run_one(std::string(kTraps) + "client GET /\nexpect client status 503\nexpect trap\n").kind, Kind::kPassed);
  EXPECT_EQ(run_one(std::string(kTraps) + "client GET /\n", {.update = true}).kind, Kind::kPassed);
  EXPECT_EQ(run_one(read("one.case")).kind, Kind::kPassed);
}

TEST_F(SuiteTest, ATableRunsOnceForEachRow) {
  const std::string text = std::string(kDenies) + R"(let scheme = http
rows path status
  /a    403
  "/b"  200
client GET {{path}} x-forwarded-proto={{scheme}}
expect client status {{status}}
)";
  const std::string path = write("table.case", text);
  const auto results = run(path);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].name, path + " [/a    403]");
  EXPECT_EQ(results[0].kind, Kind::kPassed) << describe(results[0], false);
  EXPECT_EQ(results[1].kind, Kind::kFailed) << describe(results[1], false);
  EXPECT_EQ(results[1].problems.at(0).place, path + ":13") << describe(results[1], false);
}

TEST_F(SuiteTest, SnapshotsOfATableStandOneBehindTheOther) {
  const std::string path = write("table.case", std::string(kDenies) + "rows path\n  /a\n  /b\nclient GET {{path}}\n");
  for (const TestResult& result : run(path, {.update = true})) EXPECT_TRUE(result.written);
  const std::string text = read("table.case");
  EXPECT_NE(text.find("#### expect\n==== /a\n== client GET /a\n"), std::string::npos) << text;
  EXPECT_NE(text.find("== end\n==== /b\n== client GET /b\n"), std::string::npos) << text;
  for (const TestResult& result : run(path)) EXPECT_EQ(result.kind, Kind::kPassed) << describe(result, false);
}

TEST_F(SuiteTest, AnUpstreamMayChange) {
  const TestResult result = run_one(R"(client GET /
expect client status 200
upstream origin answers 404 "none"
client GET /
expect client status 404
upstream origin waits
client GET /
expect no client response
origin answers 201
expect client status 201
upstream origin resets
client GET /
expect client status 503
)");
  EXPECT_EQ(result.kind, Kind::kPassed) << describe(result, false);
}

TEST_F(SuiteTest, AnHourTakesNoTime) {
  const TestResult result = run_one(R"(plugin a guest=wat imports=set_tick_period_milliseconds:1,log:3
  (data (i32.const 100) "tick")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $set_tick_period_milliseconds (i32.const 3600000))) (i32.const 1))
  (func (export "proxy_on_tick") (param i32) (drop (call $log (i32.const 2) (i32.const 100) (i32.const 4))))
wait 59m
expect no log = tick
wait 2m
expect log = tick
)");
  EXPECT_EQ(result.kind, Kind::kPassed) << describe(result, false);
}

TEST_F(SuiteTest, OnSocketsClientsAndUpstreamsMaySpeakHttp2) {
  const SuiteOptions by_http2{.place = {Place::Kind::kSockets, {}, Protocol::kHttp2}};
  const std::string steps = "client POST / chunked \"abc\"\nexpect upstream body = abc\nexpect client status 200\n";
  const TestResult passed = run_one(steps, by_http2);
  EXPECT_EQ(passed.kind, Kind::kPassed) << describe(passed, false);
  EXPECT_TRUE(passed.name.ends_with("one.case on sockets by HTTP/2")) << passed.name;
  EXPECT_EQ(run_one("only: HTTP/1, x\n" + steps, by_http2).why_skipped, "only by HTTP/1: x");
  EXPECT_EQ(run_one("only: HTTP/2, x\n" + steps).why_skipped, "only by HTTP/2: x");
  EXPECT_EQ(run_one("client GET /\n#### expect\n== client GET /\n", by_http2).why_skipped,
            "all that it expects is its snapshot, which is of HTTP/1");
}

TEST_F(SuiteTest, WhatCannotBeRunIsSaidWithItsPlace) {
  const TestResult missing = run_one("plugin a module=nowhere.wasm\nclient GET /\nexpect client status 200\n");
  ASSERT_EQ(missing.kind, Kind::kFailed);
  EXPECT_EQ(missing.problems.at(0).place, missing.path + ":1");
  EXPECT_NE(missing.problems[0].what.find("there is no module "), std::string::npos) << missing.problems[0].what;
  EXPECT_EQ(missing.problems[0].seen, "");
  write("text.wasm", "x");
  const TestResult text = run_one("plugin a module=text.wasm\nclient GET /\nexpect client status 200\n");
  EXPECT_NE(text.problems.at(0).what.find("text.wasm: not a WebAssembly module"), std::string::npos)
      << text.problems[0].what;
  const TestResult wrong =
      run_one("plugin a guest=wat\n  (func (i32.const))\nclient GET /\nexpect client status 200\n");
  EXPECT_EQ(wrong.problems.at(0).place, wrong.path + ":1");
  const TestResult yaml = run_one("hcm\n  nonsense: 1\nclient GET /\nexpect client status 200\n");
  EXPECT_EQ(yaml.kind, Kind::kFailed);
  EXPECT_NE(yaml.problems.at(0).what.find("nonsense"), std::string::npos) << yaml.problems[0].what;
}

TEST_F(SuiteTest, TheConfigurationMayBeAFilesOwn) {
  const std::string module = folder.file("a.wasm");
  const auto wasm = compiler::wat_to_wasm(R"((module
    (import "env" "proxy_http_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
    (func (export "proxy_abi_version_0_2_1"))
    (data (i32.const 100) "tokens")
    (data (i32.const 200) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\01\00\00\00\0a\00\00\00\01\00\00\00:method\00GET\00:path\00/\00:authority\00a\00")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $call (i32.const 100) (i32.const 6) (i32.const 200) (i32.const 61) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 300))) (i32.const 0))))");
  ASSERT_TRUE(wasm) << wasm.error().to_string();
  write("a.wasm", std::string(wasm->begin(), wasm->end()));
  write("envoy.yaml", R"(static_resources:
  listeners:
  - name: other
    address: {socket_address: {address: 127.0.0.1, port_value: 1}}
    filter_chains:
    - filters:
      - name: tcp
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: tokens}
  - name: ingress
    address: {socket_address: {address: 127.0.0.1, port_value: 2}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: tokens}}]}]}
          http_filters:
          - name: wasm
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config: {name: a, vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: ")" +
                          module + R"("}}}}
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - {name: tokens, connect_timeout: 1s, type: STATIC}
)");
  const TestResult result = run_one(R"(bootstrap: envoy.yaml ingress
upstream tokens waits
client GET /
expect call tokens path = /
expect client status 200
)");
  EXPECT_EQ(result.kind, Kind::kPassed) << describe(result, false);
  // What no line speaks of is there and refuses.
  EXPECT_EQ(run_one("bootstrap: envoy.yaml ingress\nclient GET /\nexpect client status 200\n").kind, Kind::kPassed);
  const std::pair<const char*, const char*> wrong[] = {
      {"bootstrap: nowhere.yaml", "there is no file "},
      {"bootstrap: envoy.yaml", "the listener relays TCP: a line `tcp` says so"},
      {"bootstrap: envoy.yaml ingres", "has no listener `ingres`"},
      {"bootstrap: envoy.yaml ingress\nupstream tokns waits", "has no cluster `tokns`, of which the case speaks"},
      {"bootstrap: one.case", "the configuration is wrong:"},
  };
  for (const auto& [line, what] : wrong) {
    const TestResult failed = run_one(std::string(line) + "\nclient GET /\nexpect client status 200\n");
    ASSERT_EQ(failed.kind, Kind::kFailed) << line;
    EXPECT_NE(failed.problems.at(0).what.find(what), std::string::npos) << failed.problems[0].what;
    EXPECT_EQ(failed.problems[0].place, failed.path + ":1");
  }
}

TEST_F(SuiteTest, OneForSocketsIsSkippedWithItsReason) {
  const TestResult result = run_one("only: sockets, it is about the kernel\nclient GET /\nexpect client status 200\n");
  EXPECT_EQ(result.kind, Kind::kSkipped);
  EXPECT_EQ(result.why_skipped, "only on sockets: it is about the kernel");
}

TEST_F(SuiteTest, FoldersHaveTheirCasesInOrderHoweverManyRunAtATime) {
  for (int i = 0; i < 10; ++i) {
    write("c" + std::to_string(i) + ".case", std::string(kDenies) + "client GET /\nexpect client status 403\n");
  }
  write("other.txt", "no case");
  write("wrong.case", "sing\n");
  for (const size_t jobs : {size_t{1}, size_t{4}}) {
    const auto results = run(folder.path(), {.jobs = jobs});
    ASSERT_EQ(results.size(), 11u);
    for (size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(results[i].name, folder.file("c" + std::to_string(i) + ".case"));
      EXPECT_EQ(results[i].kind, Kind::kPassed) << describe(results[i], false);
    }
    EXPECT_EQ(results[10].kind, Kind::kWrong);
    EXPECT_TRUE(summary(results, std::chrono::milliseconds(120), false)
                    .ends_with("10 passed, 0 failed, 1 file wrong in 0.12 s\n"));
  }
  EXPECT_EQ(run(folder.path(), {.wanted = "c3"}).size(), 1u);
}

TEST_F(SuiteTest, AFolderWithoutCasesIsAnError) {
  Suite suite({});
  EXPECT_FALSE(suite.add(folder.path()));
  EXPECT_FALSE(suite.add(folder.file("nowhere")));
}

TEST(Report, IsJUnitAndTap) {
  std::vector<TestResult> results(4);
  results[0] = {.name = "a.case", .path = "a.case", .took = std::chrono::milliseconds(3)};
  results[1] = {
      .name = "b.case [<&>\" 1]",
      .path = "b.case",
      .kind = Kind::kFailed,
      .problems = {{"b.case:3", "expect client status 200\nits status is \"403\"", "== client GET /\n\x01\n"}}};
  results[2] = {.name = "b.case [2 #x]", .path = "b.case", .kind = Kind::kSkipped, .why_skipped = "only on sockets: x"};
  results[3] = {.name = "c.case", .path = "c.case", .kind = Kind::kWrong, .problems = {{"c.case:1", "wrong", ""}}};
  EXPECT_EQ(junit(results), R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="a.case" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="a.case" name="a.case" time="0.003000"/>
  </testsuite>
  <testsuite name="b.case" tests="2" failures="1" errors="0" skipped="1">
    <testcase classname="b.case" name="b.case [&lt;&amp;&gt;&quot; 1]" time="0.000000">
      <failure message="expect client status 200&#10;its status is &quot;403&quot;">  b.case:3: expect client status 200&#10;    its status is &quot;403&quot;&#10;      == client GET /&#10;      \x01&#10;</failure>
    </testcase>
    <testcase classname="b.case" name="b.case [2 #x]" time="0.000000">
      <skipped message="only on sockets: x"/>
    </testcase>
  </testsuite>
  <testsuite name="c.case" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="c.case" name="c.case" time="0.000000">
      <error message="wrong">  c.case:1: wrong&#10;</error>
    </testcase>
  </testsuite>
</testsuites>
)");
  EXPECT_EQ(tap(results), R"(TAP version 14
1..4
ok 1 - a.case
not ok 2 - b.case [<&>" 1]
  ---
  message: |
      b.case:3: expect client status 200
        its status is "403"
          == client GET /
          \x01
  ...
ok 3 - b.case [2 \#x] # SKIP only on sockets: x
not ok 4 - c.case
  ---
  message: |
      c.case:1: wrong
  ...
)");
}

}  // namespace
}  // namespace inlay::tester
