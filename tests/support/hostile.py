# SPDX-License-Identifier: Apache-2.0
"""A guest that misbehaves as a test tells it to, in a proxy before a workload."""

from support import config, guests
from support.origins import Echo, echoed
from support.processes import TestCase
from support.wire import request

# What every guest here has. $behave runs on a request whose headers were already counted by the host.
GUEST = """
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value" (func $replace (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_pairs" (func $pairs (param i32 i32 i32) (result i32)))
  (import "env" "proxy_set_header_map_pairs" (func $set_pairs (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_buffer_bytes" (func $set_buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_shared_data" (func $shared (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_shared_data" (func $set_shared (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_register_shared_queue" (func $queue (param i32 i32 i32) (result i32)))
  (import "env" "proxy_enqueue_shared_queue" (func $enqueue (param i32 i32 i32) (result i32)))
  (import "env" "proxy_dequeue_shared_queue" (func $dequeue (param i32 i32 i32) (result i32)))
  (import "env" "proxy_define_metric" (func $metric (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_metric" (func $get_metric (param i32 i32) (result i32)))
  (import "env" "proxy_http_call"
    (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_call_foreign_function" (func $foreign (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (data (i32.const 16) "x-bad")
  (data (i32.const 32) "x-guest")
  (data (i32.const 48) "survived")
  (data (i32.const 64) "origin")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (i32.const 130000)) (then (global.set $heap (i32.const 65536)))))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
  (func $deeper (param i32) (result i32)
    (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $behave {behaviour})
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    ;; misbehave when there is an x-bad header
    (if (i32.eqz (call $get (i32.const 0) (i32.const 16) (i32.const 5) (i32.const 128) (i32.const 132)))
      (then (call $behave)))
    (drop (call $add (i32.const 0) (i32.const 32) (i32.const 7) (i32.const 48) (i32.const 8)))
    (i32.const 0))
)
"""


class Hostile(TestCase):
    engine = None

    def module(self, behaviour):
        return self.assemble(GUEST.replace("{behaviour}", behaviour))

    def assemble(self, text):
        return guests.assemble(self.directory, "guest", text)

    def start_with(self, behaviour, policy="FAIL_CLOSED", concurrency=1, flags=(), **plugin):
        echo = self.start(Echo(self.directory, name=f"echo-{len(self.programs)}"))
        guest = config.wasm(self.module(behaviour), policy=policy, **plugin)
        made = config.bootstrap([config.cluster("origin", echo.port)], [guest])
        self.proxy = self.start_proxy(made, concurrency=concurrency, engine=self.engine, flags=flags)
        self.port = self.proxy.port
        self.assertEqual(self.good(), "survived")

    def good(self):
        """A harmless request: what the guest added, or None where the filter is bypassed."""
        return echoed(self.port)["headers"].get("x-guest")

    def bad(self):
        return request(self.port, headers={"x-bad": "1", "accept": "application/json"})
