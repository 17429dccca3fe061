# SPDX-License-Identifier: Apache-2.0
"""What a guest gives that cannot be sent costs one message, and what it may not call before its callbacks the start: in
Inlay, and the same in Envoy where that is on the machine."""

import subprocess
import unittest

from support import config, guests
from support.both import in_envoy_too
from support.guests import import_proxy
from support.origins import Echo
from support.processes import INLAY, PATIENCE, TestCase, wait_until
from support.wire import Wire, request

# A request to /reply is answered with ":status: 200, x-ok: 1" among the headers of a 403; one to /bad gets an x-guest
# of two lines; others go on.
GUEST = guests.guest(r"""
  (data (i32.const 1024) "\02\00\00\00\07\00\00\00\03\00\00\00\04\00\00\00\01\00\00\00:status\00200\00x-ok\001\00")
  (data (i32.const 1100) "1\0d\0ax-evil: 2")
  (data (i32.const 1200) ":path")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $second i32)
    (drop (call $get (i32.const 0) (i32.const 1200) (i32.const 5) (i32.const 1300) (i32.const 1304)))
    (local.set $second (i32.load8_u offset=1 (i32.load (i32.const 1300))))
    (if (i32.eq (local.get $second) (i32.const 114)) (then
      (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024)
        (i32.const 39) (i32.const -1)))
      (return (i32.const 1))))
    (if (i32.eq (local.get $second) (i32.const 98)) (then (call $add_header (i32.const 1100) (i32.const 12))))
    (i32.const 0))""", import_proxy("send_local_response", 8).replace("$send_local_response", "$reply") +
                     import_proxy("get_header_map_value", 5).replace("$get_header_map_value", "$get"))

# Holds the headers until the first bytes have come, and gives them a bad x-guest when the second have.
LATE_EDIT = guests.guest(r"""
  (data (i32.const 1024) "the first bytes have passed")
  (data (i32.const 1100) "1\0d\0ax-evil: 2")
  (global $seen (mut i32) (i32.const 0))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
    (if (global.get $seen) (then (call $add_header (i32.const 1100) (i32.const 12)))
      (else (call $say (i32.const 1024) (i32.const 27))))
    (global.set $seen (i32.const 1))
    (i32.const 0))""")

# Holds the headers until the whole body has come.
HOLDS = guests.guest("""
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_request_body") (param i32 i32 $end i32) (result i32) (i32.eqz (local.get $end)))""".replace(
      "(param i32 i32 $end i32)", "(param i32 i32) (param $end i32)"))

EARLY = guests.guest("""
  (func (export "_initialize") (drop (call $define (i32.const 0) (i32.const 32) (i32.const 7) (i32.const 1024))))""",
                     import_proxy("define_metric", 4).replace("$define_metric", "$define"))


@in_envoy_too
class GuestMessages(TestCase):
    def serve(self):
        echo = self.start(Echo(self.directory))
        guest = config.wasm(guests.assemble(self.directory, "guest", GUEST))
        return self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)], [guest]))

    def test_a_reply_with_a_status_among_its_headers_is_sent_without_it(self):
        answer = request(self.serve().port, path="/reply")
        self.assertEqual((answer.status, answer.get("x-ok")), (403, "1"))

    def test_a_header_of_two_lines_costs_its_request(self):
        proxy = self.serve()
        answer = request(proxy.port, path="/bad")
        self.assertEqual((answer.status, answer.body), (503, b"invalid header value for: x-guest"))
        self.assertEqual(request(proxy.port, path="/other").status, 200)

    def test_a_header_given_while_a_later_filter_holds_the_head_costs_its_request(self):
        echo = self.start(Echo(self.directory))
        chain = [config.wasm(guests.assemble(self.directory, name, text), name=name, vm_id=name, allow_on_headers_stop_iteration=True)
                 for name, text in (("late_edit", LATE_EDIT), ("holds", HOLDS))]
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)], chain))
        with Wire(proxy.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: inlay.test\r\ncontent-length: 6\r\n\r\nabc")
            wait_until(lambda: "the first bytes have passed" in proxy.log(), "the first bytes at the filter")
            answer = wire.send("def").response("POST")
        self.assertEqual((answer.status, answer.body), (503, b"invalid header value for: x-guest"))

    def test_a_host_function_before_the_callbacks_ends_the_start(self):
        guest = config.wasm(guests.assemble(self.directory, "early", EARLY), name="early")
        bootstrap = config.bootstrap([config.cluster("origin", 1)], [guest])
        proxy = self.launch_proxy(bootstrap)
        self.assertNotEqual(proxy.wait(), 0)

        said = self.either("unable to create Wasm plugin early: _initialize: it calls proxy_define_metric, which a module may do in "
                           "its callbacks only", "restricted_callback", why="other words")
        self.assertIn(said, proxy.log())
        if self.in_envoy:
            return
        done = subprocess.run([INLAY, "validate", "-c", proxy.config_path], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
