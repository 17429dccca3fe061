// SPDX-License-Identifier: Apache-2.0
// Shared data and shared queues.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostSharedData : public GuestTest {};
INLAY_BOTH_ENGINES(HostSharedData);

TEST_P(HostSharedData, SharedDataIsSharedByWorkersAndGuardedByCas) {
  auto o = options();
  o.workers = 2;
  TestProxy proxy(o);
  auto& first = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("get_shared_data", 5) + import_proxy("set_shared_data", 5),
                   kLogNumber + R"(
    (data (i32.const 0) "key" "value"))" +
                       on_request_headers(R"(
      (call $log_number (call $get_shared_data (i32.const 0) (i32.const 3) (i32.const 16) (i32.const 20) (i32.const 24)))
      (call $log_number (i32.load (i32.const 20)))
      (call $log_number (call $set_shared_data (i32.const 0) (i32.const 3) (i32.const 3) (i32.const 5) (i32.load (i32.const 24))))
      (call $log_number (call $set_shared_data (i32.const 0) (i32.const 3) (i32.const 3) (i32.const 4) (i32.const 12345))))")));
  auto& second = *proxy.attached(1);
  proxy.stream(first, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "1 0 0 8");
  proxy.stream(second, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 5 0 8");
}

TEST_P(HostSharedData, AQueuesItemsComeToTheWorkerThatRegisteredLast) {
  auto o = options();
  o.workers = 2;
  TestProxy proxy(o);
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("register_shared_queue", 3) +
                            import_proxy("resolve_shared_queue", 5) + import_proxy("enqueue_shared_queue", 3) +
                            import_proxy("dequeue_shared_queue", 3),
                        kLogNumber + R"(
    (data (i32.const 0) "jobs" "item")
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $register_shared_queue (i32.const 0) (i32.const 4) (i32.const 16))) (i32.const 1))
    (func (export "proxy_on_queue_ready") (param i32 i32)
      (call $log_number (call $dequeue_shared_queue (local.get 1) (i32.const 16) (i32.const 20)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20))))
      (call $log_number (call $dequeue_shared_queue (local.get 1) (i32.const 16) (i32.const 20)))
      (call $log_number (call $dequeue_shared_queue (i32.const 99) (i32.const 16) (i32.const 20)))))" +
                            on_request_headers(R"(
      (call $log_number (call $resolve_shared_queue (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 16)))
      (call $log_number (call $resolve_shared_queue (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 20)))
      (call $log_number (call $enqueue_shared_queue (i32.load (i32.const 16)) (i32.const 4) (i32.const 4))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 1 0");
  proxy.worker(0).run_posted();
  EXPECT_EQ(story(proxy), "");  // not this one
  proxy.worker(1).run_posted();
  EXPECT_EQ(story(proxy), "0 item 7 1");
  proxy.stream(plugin, kRequest)->request_headers();
  proxy.worker(1).stop();  // with the notification on its way
  proxy.run();
}

}  // namespace
}  // namespace inlay::host
