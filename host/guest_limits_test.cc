// SPDX-License-Identifier: Apache-2.0
// What one guest may make the host hold (host/guest_limits.h): each limit is reached, refused, logged once.

#include "host/guest_limits.h"

#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostLimits : public GuestTest {};
INLAY_BOTH_ENGINES(HostLimits);

const HeaderList kRequest = {{":method", "GET"}, {":path", "/"}};

// Function $NAME: runs `call`, which may use $i, up to `max` times until it fails; logs how often it went well, and the
// status.
std::string until_it_fails(const std::string& name, const std::string& call, size_t max) {
  return "(func $" + name + R"( (local $i i32) (local $status i32)
    (block $done (loop $again
      (local.set $status )" +
         call + R"()
      (br_if $done (local.get $status))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const )" +
         std::to_string(max) + R"()))))
    (call $log_number (local.get $i)) (call $log_number (local.get $status))))";
}

std::string on_request_headers(const std::string& body) {
  return "(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32)" + body + " (i32.const 0))";
}

// The numbers that the guest logged, joined by spaces.
std::string numbers(TestProxy& proxy) {
  std::string text;
  for (const auto& line : proxy.log().lines()) {
    const std::string said = line.text.substr(line.text.find(": ") + 2);
    if (!said.empty() && said.find_first_not_of("0123456789") == std::string::npos)
      text += (text.empty() ? "" : " ") + said;
  }
  return text;
}

TEST_P(HostLimits, AHeaderMapTakesOneMebibyte) {
  TestProxy proxy(options());
  const std::string add = R"((call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)
                                                          (i32.const 60000)))";
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("add_header_map_value", 5),
                        kLogNumber + R"((data (i32.const 0) "x")
    (func $fill (local $i i32) (loop $next
      (i32.store8 (i32.add (local.get $i) (i32.const 16)) (i32.const 97))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 60000))))))" +
                            until_it_fails("run", add, 100) + on_request_headers("(call $fill) (call $run)")));
  for (int i = 0; i < 2; ++i) {
    auto stream = proxy.stream(plugin, kRequest);
    stream->request_headers();
    EXPECT_LE(stream->request.byte_size(), limits::kMapBytes);
  }
  EXPECT_EQ(numbers(proxy), "17 10 17 10");
  EXPECT_EQ(proxy.log().count("was refused a header map larger than 1 MiB"), 1u);
}

TEST_P(HostLimits, AHeaderThatIsReplacedForEverTakesNoMoreSpace) {
  TestProxy proxy(options());
  const std::string replace = R"((call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 1)
                                   (i32.const 16) (i32.add (i32.const 1000) (i32.and (local.get $i) (i32.const 63)))))";
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("replace_header_map_value", 5),
                        kLogNumber + R"((data (i32.const 0) "x")
    (func $fill (local $i i32) (loop $next
      (i32.store8 (i32.add (local.get $i) (i32.const 16)) (i32.const 97))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2000))))))" +
                            until_it_fails("run", replace, 5000) + on_request_headers("(call $fill) (call $run)")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(numbers(proxy), "5000 0");
  EXPECT_LT(stream->request.arena_size(), 256u * 1024);
}

TEST_P(HostLimits, ABodyTakesSixteenMebibytes) {
  TestProxy proxy(options());
  const std::string append = R"((call $set_buffer_bytes (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 0)
                                                        (i32.const 65536)))";
  const std::string prepend = R"((call $set_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                                                         (i32.const 65536)))";
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("set_buffer_bytes", 5),
                   kLogNumber + until_it_fails("append", append, 1000) + until_it_fails("prepend", prepend, 1000) + R"(
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
      (call $append) (call $prepend) (i32.const 0)))"));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers(false);
  stream->request_body("x", true);
  EXPECT_EQ(numbers(proxy), "255 10 0 10");
  EXPECT_LE(stream->request_buffer.size(), limits::kBodyBytes);
  EXPECT_EQ(proxy.log().count("was refused a body larger than 16 MiB"), 1u);
}

TEST_P(HostLimits, APropertyPathOfManyPartsIsRefused) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("get_property", 4) + import_proxy("set_property", 4),
                        kLogNumber + on_request_headers(R"(
    (call $log_number (call $get_property (i32.const 0) (i32.const 8193) (i32.const 65536) (i32.const 65540)))
    (call $log_number (call $set_property (i32.const 0) (i32.const 8193) (i32.const 0) (i32.const 1)))
    (call $log_number (call $get_property (i32.const 0) (i32.const 8192) (i32.const 65536) (i32.const 65540))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(numbers(proxy), "2 2 1");
}

TEST_P(HostLimits, CallsUnderWayTake64Mebibytes) {
  TestProxy proxy(options());
  proxy.worker().upstreams().add_cluster("c");
  const std::string call = R"((call $http_call (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 61)
    (i32.const 0) (i32.const 131072) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 256)))";
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("http_call", 10), kLogNumber + R"(
    (data (i32.const 0) "c")
    (data (i32.const 16) "\03\00\00\00" "\07\00\00\00\03\00\00\00" "\05\00\00\00\01\00\00\00" "\0a\00\00\00\01\00\00\00"
                         ":method\00GET\00" ":path\00/\00" ":authority\00c\00"))" + until_it_fails("run", call, 2000) +
                                                                                    on_request_headers("(call $run)")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(numbers(proxy), "511 10");
  EXPECT_EQ(proxy.log().count("HTTP calls"), 1u);
  proxy.advance(5s);  // they are answered (504), and there is room again
  proxy.log().clear();
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(numbers(proxy), "511 10");
  EXPECT_EQ(proxy.log().count("HTTP calls"), 0u);  // it was said before
}

TEST_P(HostLimits, AVmIdHas1024Queues) {
  TestProxy proxy(options());
  const std::string open = R"((call $register_shared_queue (i32.const 0)
    (block (result i32) (i32.store (i32.const 0) (local.get $i)) (i32.const 4)) (i32.const 16)))";
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("register_shared_queue", 3),
                                   kLogNumber + until_it_fails("run", open, 5000) + on_request_headers(R"((call $run)
    (call $log_number (call $register_shared_queue (i32.const 0) (i32.const 2000) (i32.const 16))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(numbers(proxy), "1024 10 10");
  EXPECT_EQ(proxy.log().count("was refused more than 1024 shared queues"), 1u);
}

TEST_P(HostLimits, NewsOfItemsDoNotPileUp) {
  TestProxy proxy(options());
  const std::string in_and_out = R"((i32.or
    (call $enqueue_shared_queue (i32.load (i32.const 16)) (i32.const 0) (i32.const 4))
    (call $dequeue_shared_queue (i32.load (i32.const 16)) (i32.const 20) (i32.const 24))))";
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("register_shared_queue", 3) +
                       import_proxy("enqueue_shared_queue", 3) + import_proxy("dequeue_shared_queue", 3),
                   kLogNumber + until_it_fails("run", in_and_out, 1000) +
                       R"((func (export "proxy_on_queue_ready") (param i32 i32) (call $log_number (i32.const 7))))" +
                       on_request_headers(
                           "(drop (call $register_shared_queue (i32.const 0) (i32.const 4) (i32.const 16)))"
                           "(call $run)"
                           R"((drop (call $enqueue_shared_queue (i32.load (i32.const 16)) (i32.const 0) (i32.const 4)))
       (drop (call $enqueue_shared_queue (i32.load (i32.const 16)) (i32.const 0) (i32.const 4))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  proxy.run();
  EXPECT_EQ(numbers(proxy), "1000 0 7 7");  // as many as there are items
}

TEST_P(HostLimits, LongLinesAreCutAndFloodsThinnedOut) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3), on_request_headers(R"((local $i i32)
    (loop $next
      (drop (call $log (i32.const 2) (i32.const 0) (i32.const 70000)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 300)))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(proxy.log().lines().size(), limits::kLogBytesPerSecond / (limits::kLogLine + 128));
  EXPECT_EQ(proxy.log().count("... (4464 more bytes)"), proxy.log().lines().size());
  proxy.advance(1s);
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(proxy.log().count("dropped 45 log lines"), 1u);
}

// A guest that defines a metric whenever it counts: names that it has keep their ids, and count.
TEST_P(HostLimits, KnownMetricsAreFoundWhenAVmHasAllItsIds) {
  TestProxy proxy(options());
  const auto define = [](char name) {
    return "(call $define_metric (i32.const 0) (i32.const " + std::to_string(name - 'a') +
           ") (i32.const 1) (i32.const 16))";
  };
  const auto told = [](const std::string& call) {
    return "(call $log_number " + call + ") (call $log_number (i32.load (i32.const 16)))";
  };
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("define_metric", 4) + R"(
    (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32))))",
                        kLogNumber + "(data (i32.const 0) \"abc\")" +
                            until_it_fails("run", define('a'), stats::MetricStore::kMaxMetrics + 10) +
                            on_request_headers(told(define('b')) + "(call $run)" + told(define('a')) +
                                               "(drop (call $increment (i32.load (i32.const 16)) (i64.const 3)))" +
                                               told(define('b')) + told(define('c')))));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(numbers(proxy), "0 4 " + std::to_string(stats::MetricStore::kMaxMetrics + 10) + " 0 0 8 0 4 10 4");
  EXPECT_EQ(proxy.metric("wasmcustom.a"), 3);
  EXPECT_EQ(proxy.log().count("was refused more than 100000 metrics"), 1u);
}

}  // namespace
}  // namespace inlay::host
