# SPDX-License-Identifier: Apache-2.0
"""envoy.bootstrap.wasm: services, one a worker or one in all, and the queue that filters fill for one."""

import unittest

from support import config, guests
from support.both import in_envoy_too, inlay_only
from support.guests import import_proxy
from support.origins import Echo
from support.processes import TestCase
from support.wire import request

# Says "worker" at each start and "tick" at its first tick.
TICKING = guests.guest("""
  (data (i32.const 1024) "started") (data (i32.const 1040) "tick") (data (i32.const 1056) "done")
  (global $ticked (mut i32) (i32.const 0))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (call $say (i32.const 1024) (i32.const 7))
    (drop (call $set_tick_period_milliseconds (i32.const 10)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32)
    (if (i32.eqz (global.get $ticked)) (then (call $say (i32.const 1040) (i32.const 4))))
    (global.set $ticked (i32.const 1)))
  (func (export "proxy_on_done") (param i32) (result i32) (call $say (i32.const 1056) (i32.const 4)) (i32.const 1))""",
                       import_proxy("set_tick_period_milliseconds", 1))

# Receives from the queue "jobs"; counts and says each item. Its shared data holds the last one, under "last".
CONSUMER = guests.guest("""
  (data (i32.const 1024) "jobs") (data (i32.const 1040) "consumed") (data (i32.const 1056) "last")
  (global $metric (mut i32) (i32.const 0))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $register_shared_queue (i32.const 1024) (i32.const 4) (i32.const 2048)))
    (drop (call $define_metric (i32.const 0) (i32.const 1040) (i32.const 8) (i32.const 2052)))
    (global.set $metric (i32.load (i32.const 2052)))
    (i32.const 1))
  (func (export "proxy_on_queue_ready") (param i32 i32)
    (block $empty
      (loop $next
        (br_if $empty (call $dequeue_shared_queue (local.get 1) (i32.const 2056) (i32.const 2060)))
        (call $say (i32.load (i32.const 2056)) (i32.load (i32.const 2060)))
        (drop (call $set_shared_data (i32.const 1056) (i32.const 4) (i32.load (i32.const 2056))
                                     (i32.load (i32.const 2060)) (i32.const 0)))
        (drop (call $increment_metric (global.get $metric) (i64.const 1)))
        (br $next))))""", import_proxy("register_shared_queue", 3) + import_proxy("dequeue_shared_queue", 3)
                        + import_proxy("set_shared_data", 5) + import_proxy("define_metric", 4)
                        + '(import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32)))')

# Looks the consumer's queue up when it starts, says whether it is there, and puts each request's path into it.
PRODUCER = guests.guest("""
  (data (i32.const 1024) "jobs") (data (i32.const 1040) "consumer") (data (i32.const 1056) ":path")
  (data (i32.const 1070) "a queue") (data (i32.const 1080) "no queue yet")
  (func $resolve (result i32)
    (call $resolve_shared_queue (i32.const 1040) (i32.const 8) (i32.const 1024) (i32.const 4) (i32.const 2048)))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (if (call $resolve) (then (call $say (i32.const 1080) (i32.const 12))) (else (call $say (i32.const 1070) (i32.const 7))))
    (i32.const 1))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $resolve))
    (drop (call $get_header_map_value (i32.const 0) (i32.const 1056) (i32.const 5) (i32.const 2056) (i32.const 2060)))
    (drop (call $enqueue_shared_queue (i32.load (i32.const 2048)) (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))
    (i32.const 0))""", import_proxy("resolve_shared_queue", 5) + import_proxy("enqueue_shared_queue", 3)
                        + import_proxy("get_header_map_value", 5))

# Asks the cluster "origin" for /poll on its first tick and says the status.
POLLING = guests.guest(r"""
  (data (i32.const 1024) "origin") (data (i32.const 1040) ":status")
  (data (i32.const 1100) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\05\00\00\00\0a\00\00\00\06\00\00\00"
                         ":method\00GET\00:path\00/poll\00:authority\00o.test\00")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $set_tick_period_milliseconds (i32.const 10)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32)
    (drop (call $set_tick_period_milliseconds (i32.const 0)))
    (drop (call $http_call (i32.const 1024) (i32.const 6) (i32.const 1100) (i32.const 70) (i32.const 0) (i32.const 0)
                           (i32.const 0) (i32.const 0) (i32.const 5000) (i32.const 2048))))
  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
    (drop (call $get_header_map_value (i32.const 6) (i32.const 1040) (i32.const 7) (i32.const 2056) (i32.const 2060)))
    (call $say (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))""",
                       import_proxy("set_tick_period_milliseconds", 1) + import_proxy("http_call", 10)
                       + import_proxy("get_header_map_value", 5))

# The same as soon as it starts, with 4 s for the answer.
POLLING_AT_ONCE = POLLING.replace("(i32.const 5000)", "(i32.const 4000)").replace("""(drop (call $set_tick_period_milliseconds (i32.const 10)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32)
    (drop (call $set_tick_period_milliseconds (i32.const 0)))""", "").replace("(i32.const 2048))))", "(i32.const 2048)))\n    (i32.const 1))")

# Takes 1.6 s for each start, and so 4.8 s in all with one worker.
STARTING_LONG = guests.guest("""
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (local $end i64)
    (drop (call $now (i32.const 1024)))
    (local.set $end (i64.add (i64.load (i32.const 1024)) (i64.const 1600000000)))
    (loop $again
      (drop (call $now (i32.const 1024)))
      (br_if $again (i64.lt_u (i64.load (i32.const 1024)) (local.get $end))))
    (i32.const 1))""", import_proxy("get_current_time_nanoseconds", 1).replace("$get_current_time_nanoseconds", "$now"))


@in_envoy_too
class WasmService(TestCase):
    engine = None

    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))

    def module(self, name, text):
        return guests.assemble(self.directory, name, text)

    def serve(self, *services, filters=(), **options):
        made = config.bootstrap([config.cluster("origin", self.echo.port)], filters)
        made["bootstrap_extensions"] = list(services)
        return self.start_proxy(made, engine=self.engine, **options)

    def test_one_a_worker_and_one_on_the_main_thread(self):
        proxy = self.serve(config.wasm_service(self.module("ticking", TICKING), vm_id="t"), concurrency=3)
        proxy.wait_for(lambda: proxy.log().count(": tick") == 4, "a tick on each thread")
        self.assertEqual(proxy.log().count(": started"), 5)  # the canary too
        self.assertEqual(proxy.end(), 0)
        self.assertEqual(proxy.log().count(": done"), 4)

    def test_a_singleton(self):
        proxy = self.serve(config.wasm_service(self.module("ticking", TICKING), singleton=True, vm_id="t"), concurrency=3)
        proxy.wait_for(lambda: ": tick" in proxy.log(), "its tick")
        self.assertEqual(proxy.end(), 0)
        log = proxy.log()
        self.assertEqual((log.count(": started"), log.count(": tick"), log.count(": done")), (2, 1, 1))
        self.assertEqual(log.index(": done") < log.index(self.either("ended", "exiting", why="other words")),
                         self.either(True, False, why="it ends with the main thread, which has said its last by then"))

    def test_filters_of_another_vm_fill_its_queue(self):
        consumer = config.wasm_service(self.module("consumer", CONSUMER), singleton=True, vm_id="consumer", name="consumer")
        producer = config.wasm(self.module("producer", PRODUCER), vm_id="producer", name="producer")
        proxy = self.serve(consumer, filters=[producer], concurrency=2)
        paths = [f"/job/{i}" for i in range(40)]
        for path in paths:
            self.assertEqual(request(proxy.port, path).status, 200)
        proxy.wait_for(lambda: proxy.stats().get("wasmcustom.consumed") == len(paths), "every item, once")
        for path in paths:
            self.assertEqual(proxy.log().count(f"[wasm] wasm log consumer: {path}\n"), 1, path)
        first = self.either("a queue", "no queue yet", why="services start after the plugins of listeners")
        self.assertIn(f"[wasm] wasm log producer: {first}\n", proxy.log())

    def test_a_singleton_calls_a_service(self):
        proxy = self.serve(config.wasm_service(self.module("polling", POLLING), singleton=True))
        proxy.wait_for(lambda: "wasm log: 200" in proxy.log(), "the answer")

    @inlay_only("a guest that loops holds up Envoy's main thread for ever")
    def test_a_loop_on_the_main_thread_holds_up_the_admin_page_for_a_call_at_most(self):
        looping = TICKING.replace('(call $say (i32.const 1040) (i32.const 4))', '(loop $for_ever (br $for_ever))')
        service = config.wasm_service(self.module("looping", looping), singleton=True, vm_id="t", name="looping", policy="FAIL_RELOAD",
                                      reload_config={"backoff": {"base_interval": "0.01s"}})
        proxy = self.serve(service, flags=("--guest-call-ms", "200"))
        proxy.wait_for(lambda: proxy.stats().get("wasm.looping.vm_reload_success", 0) >= 2, "answers between its loops")
        self.assertEqual(request(proxy.port).status, 200)
        self.assertEqual(proxy.end(), 0)

    @inlay_only("how far a start of Inlay's goes")
    def test_a_long_start_does_not_use_up_the_time_of_a_call(self):
        slow = config.wasm(self.module("slow", STARTING_LONG), vm_id="slow", name="slow")
        polling = config.wasm_service(self.module("polling", POLLING_AT_ONCE), singleton=True, vm_id="polling")
        proxy = self.serve(polling, filters=[slow], concurrency=1, flags=("--guest-call-ms", "60000"))
        proxy.wait_for(lambda: "wasm log polling: 200" in proxy.log(), "the answer")

    def test_headers_of_a_call_with_a_byte_behind_them_are_refused(self):
        polling = POLLING.replace("(i32.const 70)", "(i32.const 71)").replace("(drop (call $http_call", "(call $digit (call $http_call")
        polling = polling.replace('(func (export "proxy_on_tick")', """(func $digit (param i32)
          (i32.store8 (i32.const 3000) (i32.add (local.get 0) (i32.const 48))) (call $say (i32.const 3000) (i32.const 1)))
          (func (export "proxy_on_tick")""")
        proxy = self.serve(config.wasm_service(self.module("polling", polling), singleton=True))
        proxy.wait_for(lambda: "wasm log: 2\n" in proxy.log(), "BadArgument")

    def test_a_service_that_refuses_stops_the_start(self):
        refusing = guests.guest('(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 0))')
        made = config.bootstrap([config.cluster("origin", 1)])
        made["bootstrap_extensions"] = [config.wasm_service(self.module("refusing", refusing), name="picky")]
        proxy = self.launch_proxy(made, engine=self.engine)
        self.assertEqual(proxy.wait(), 1)
        self.assertRegex(proxy.log(), "(?i)unable to create Wasm plugin picky")

    def test_a_singleton_that_traps_is_reloaded(self):
        trapping = TICKING.replace('(call $say (i32.const 1040) (i32.const 4))', '(unreachable)')
        service = config.wasm_service(self.module("trapping", trapping), singleton=True, vm_id="t", policy="FAIL_RELOAD",
                                      name="trapping", reload_config={"backoff": {"base_interval": "0.01s"}})
        proxy = self.serve(service)
        proxy.wait_for(lambda: "unreachable" in proxy.log(), "the first trap")
        reloads = lambda: proxy.stats().get("wasm.trapping.vm_reload_success", 0)  # noqa: E731
        if self.either(True, False, why="a plugin is loaded again on a request's way, and none goes through this one"):
            proxy.wait_for(lambda: reloads() >= 2, "reloads")
        for _ in range(20):
            self.assertEqual(request(proxy.port).status, 200)
        if self.in_envoy:
            self.assertEqual(reloads(), 0)


@inlay_only("its second engine")
class WasmServiceInterpreted(WasmService):
    engine = "interp"


if __name__ == "__main__":
    unittest.main()
