# SPDX-License-Identifier: Apache-2.0
"""envoy.access_loggers.wasm: a plugin that hears of each request's end."""

import unittest

from support import config, guests
from support.both import in_envoy_too, inlay_only
from support.guests import import_proxy
from support.origins import Echo, ScriptedOrigin, read_request
from support.processes import TestCase
from support.wire import request

# On each log: the request's :path, the response's :status, the trailer x-t, the property response.code_details, the
# status of adding a header, and of reading one that is not there; each a line of its own. Nothing else is ever said.
LOGGER = guests.guest(r"""
  (data (i32.const 1024) ":path") (data (i32.const 1032) ":status") (data (i32.const 1040) "x-t")
  (data (i32.const 1048) "response\00code_details") (data (i32.const 1080) "no-such") (data (i32.const 1090) "stream")
  (data (i32.const 1100) "0123456789")
  (func $digit (param i32) (call $say (i32.add (i32.const 1100) (local.get 0)) (i32.const 1)))
  (func $header (param $map i32) (param $name i32) (param $size i32) (local $status i32)
    (local.set $status (call $get_header_map_value (local.get $map) (local.get $name) (local.get $size)
                                                   (i32.const 2056) (i32.const 2060)))
    (if (local.get $status)
      (then (call $digit (local.get $status)))
      (else (call $say (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))))
  (func (export "proxy_on_context_create") (param i32 i32)
    (if (local.get 1) (then (call $say (i32.const 1090) (i32.const 6)))))
  (func (export "proxy_on_log") (param $id i32)
    (call $digit (local.get $id))
    (call $header (i32.const 0) (i32.const 1024) (i32.const 5))
    (call $header (i32.const 2) (i32.const 1032) (i32.const 7))
    (call $header (i32.const 3) (i32.const 1040) (i32.const 3))
    (drop (call $get_property (i32.const 1048) (i32.const 21) (i32.const 2056) (i32.const 2060)))
    (call $say (i32.load (i32.const 2056)) (i32.load (i32.const 2060)))
    (call $digit (call $add (i32.const 0) (i32.const 1080) (i32.const 7) (i32.const 1080) (i32.const 7)))
    (call $header (i32.const 0) (i32.const 1080) (i32.const 7)))""",
                      import_proxy("get_header_map_value", 5) + import_proxy("get_property", 4))

FAILED = {"status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 500, "runtime_key": "k"}}}}


@in_envoy_too
class WasmAccessLog(TestCase):
    engine = None

    def serve(self, *logs, port=None, **manager):
        port = port or self.start(Echo(self.directory)).port
        origin = config.cluster("origin", port, http_protocol_options={"enable_trailers": True})
        made = config.bootstrap([origin, config.cluster("dead", 1)], access_log=list(logs),
                                routes=[config.route("dead", {"prefix": "/dead"}), config.route()], **manager)
        return self.start_proxy(made, engine=self.engine)

    def logger(self, text=LOGGER, **fields):
        return config.wasm_access_log(guests.assemble(self.directory, "logger", text), **fields)

    def said(self, proxy, count):
        def lines():
            found = [line.split("wasm log: ", 1)[1] for line in proxy.log().splitlines() if "wasm log: " in line]
            return found if len(found) >= count else None
        return proxy.wait_for(lines, f"{count} lines of the logger")

    def test_sees_headers_trailers_and_properties_and_nothing_before(self):
        def answer(wire):
            read_request(wire)
            wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-t: end\r\n\r\n")
        origin = ScriptedOrigin(answer)
        self.addCleanup(origin.close)
        proxy = self.serve(self.logger(), port=origin.port, http_protocol_options={"enable_trailers": True})
        self.assertEqual(request(proxy.port, "/a").status, 200)
        # The root context's id; adding is BadArgument; a missing header is NotFound.
        self.assertEqual(self.said(proxy, 7), ["1", "/a", "200", "end", "via_upstream", "2", "1"])

    def test_its_filter_and_a_local_reply(self):
        proxy = self.serve(self.logger(log_filter=FAILED))
        self.assertEqual(request(proxy.port, "/fine").status, 200)
        self.assertEqual(request(proxy.port, "/dead").status, 503)
        said = self.said(proxy, 7)
        self.assertEqual(said[:4], ["1", "/dead", "503", "1"])
        self.assertIn("upstream_reset_before_response_started", said[4])

    def test_a_logger_that_traps_does_not_touch_requests(self):
        trapping = self.logger(guests.guest('(func (export "proxy_on_log") (param i32) unreachable)'), policy="FAIL_RELOAD",
                               name="trapping", reload_config={"backoff": {"base_interval": "0.01s"}})
        proxy = self.serve(trapping)

        def reloaded():
            # A reload comes with the first request behind the backoff.
            self.assertEqual(request(proxy.port).status, 200)
            return proxy.stats()["wasm.trapping.vm_reload_success"] >= 1
        proxy.wait_for(reloaded, "a reload")
        for _ in range(20):
            self.assertEqual(request(proxy.port).status, 200)


@inlay_only("its second engine")
class WasmAccessLogInterpreted(WasmAccessLog):
    engine = "interp"


if __name__ == "__main__":
    unittest.main()
