// SPDX-License-Identifier: Apache-2.0
// Guests' metrics.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostMetrics : public GuestTest {};
INLAY_BOTH_ENGINES(HostMetrics);

TEST_P(HostMetrics, MetricsAreNumberedAsEnvoyDoes) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("define_metric", 4) + import_proxy("get_metric", 2) + R"(
    (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
    (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32))))",
                        kLogNumber + R"(
    (data (i32.const 0) "abcd")
    (func $define (param $type i32) (param $name i32)
      (call $log_number (call $define_metric (local.get $type) (local.get $name) (i32.const 1) (i32.const 16)))
      (call $log_number (i32.load (i32.const 16)))))" +
                            on_request_headers(R"(
      (call $define (i32.const 0) (i32.const 0)) (call $define (i32.const 0) (i32.const 1))
      (call $define (i32.const 1) (i32.const 2)) (call $define (i32.const 2) (i32.const 3))
      (call $define (i32.const 0) (i32.const 0)) (call $define (i32.const 3) (i32.const 0))
      (call $log_number (call $increment (i32.const 4) (i64.const 5)))
      (call $log_number (call $increment (i32.const 4) (i64.const 0)))
      (call $log_number (call $increment (i32.const 5) (i64.const -3)))
      (call $log_number (call $record (i32.const 4) (i64.const 2)))
      (call $log_number (call $record (i32.const 6) (i64.const 2)))
      (call $log_number (call $increment (i32.const 6) (i64.const 2)))
      (call $log_number (call $increment (i32.const 7) (i64.const 2)))
      (call $log_number (call $get_metric (i32.const 4) (i32.const 24)))
      (call $log_number (i32.load (i32.const 24)))
      (call $log_number (call $get_metric (i32.const 6) (i32.const 24))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 4 0 8 0 5 0 6 0 12 2 12 0 2 0 0 0 2 2 0 7 2");
  EXPECT_EQ(proxy.metric("wasmcustom.a"), 7);
  EXPECT_EQ(proxy.metric("wasmcustom.c"), -3);
}

// As Envoy 1.40: what a name may not have is the business of who shows it.
TEST_P(HostMetrics, AnyNameIsTaken) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("define_metric", 4), kLogNumber + R"(
    (data (i32.const 0) "a\0ab: 9\"\ff"))" + on_request_headers(R"(
      (call $log_number (call $define_metric (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16)))
      (call $log_number (call $define_metric (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 16)))
      (call $log_number (i32.load (i32.const 16))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 0 8");
}

// The type stands in the id: the wrong type is told from an unknown id even where there is no such metric.
TEST_P(HostMetrics, TheWrongTypeIsToldFromAnUnknownId) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("define_metric", 4) + import_proxy("get_metric", 2) + R"(
    (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
    (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32))))",
                        kLogNumber + R"(
    (data (i32.const 0) "abcd")
    (func $try (param $id i32)
      (call $log_number (call $increment (local.get $id) (i64.const 1)))
      (call $log_number (call $record (local.get $id) (i64.const 1)))
      (call $log_number (call $get_metric (local.get $id) (i32.const 24)))))" +
                            on_request_headers(R"(
      (call $try (i32.const 0)) (call $try (i32.const 5)) (call $try (i32.const 6)) (call $try (i32.const 7))
      (call $log_number (call $define_metric (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 16)))
      (call $log_number (call $define_metric (i32.const 0) (i32.const 0) (i32.const 1) (i32.const -1)))
      (call $log_number (call $define_metric (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16)))
      (call $log_number (call $define_metric (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
      (call $log_number (call $get_metric (i32.load (i32.const 16)) (i32.const -1))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "1 1 1 1 1 1 2 1 2 2 1 2 6 6 0 0 6");
}

TEST_P(HostMetrics, ACounterAndAGaugeMayHaveOneName) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("define_metric", 4) + R"(
    (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32))))",
                                   kLogNumber + R"(
    (data (i32.const 0) "same"))" + on_request_headers(R"(
      (call $log_number (call $define_metric (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 16)))
      (drop (call $record (i32.load (i32.const 16)) (i64.const 3)))
      (call $log_number (call $define_metric (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 16)))
      (drop (call $record (i32.load (i32.const 16)) (i64.const 8))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 0");
  std::string found;
  proxy.metrics().for_each([&](const stats::MetricView& m) {
    if (m.name == "wasmcustom.same") found += std::to_string(m.value) + " ";
  });
  EXPECT_EQ(found, "3 8 ");
}

}  // namespace
}  // namespace inlay::host
