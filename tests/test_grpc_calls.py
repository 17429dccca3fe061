# SPDX-License-Identifier: Apache-2.0
"""gRPC calls and streams of a guest (proxy_grpc_call, proxy_grpc_stream) to a server of gRPC's own library."""

from support import config
from support.both import in_envoy_too
from support.grpc_server import GrpcServer, needs_grpc
from support.processes import TestCase, filter_module, wait_until
from support.wire import request


@needs_grpc
@in_envoy_too
class GrpcCalls(TestCase):
    def serve(self, script):
        self.server = GrpcServer()
        self.addCleanup(self.server.close)
        origin = config.cluster("rpc", self.server.port, **config.speaks_http2())
        filters = [config.wasm(filter_module("puppet_0_2_1.wasm"), script, name="a")]
        self.proxy = self.start_proxy(config.bootstrap([origin], filters, routes=[{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]))

    def told(self, last, count=1):
        """The puppet's lines about gRPC, when `count` of them begin with `last`."""
        def lines():
            found = [line.split(": ", 1)[1] for line in self.proxy.log().splitlines() if "wasm log" in line]
            found = [line for line in found if "grpc" in line or "call_status" in line]
            return found if sum(line.startswith(last) for line in found) >= count else None
        return self.proxy.wait_for(lines, f"{count} lines '{last}'")

    def test_a_call_is_answered(self):
        self.serve('on request_headers: grpc_call rpc test.Service Echo "hello" x-a=1 x-b-bin="\\x00\\xff"\non grpc_receive: body grpc 0 100')
        request(self.proxy.port)
        self.assertIn('  body grpc 0 100 = Ok "hello"', self.told("  body grpc"))
        metadata = self.server.seen[0][1]
        self.assertEqual((metadata["x-a"], metadata["x-b-bin"]), ("1", b"\x00\xff"))

    def test_a_call_fails(self):
        self.serve('on request_headers: grpc_call rpc test.Service Fail "x"\non grpc_close: call_status')
        request(self.proxy.port)
        lines = self.told("  call_status")
        self.assertIn("on_grpc_close 1 token=5 status=5", lines)
        self.assertEqual(lines[-1], '  call_status = Ok 5 "nothing here: 100%25 sure{via_upstream}"')

    def test_a_method_that_is_not_there(self):
        self.serve('on request_headers: grpc_call rpc test.Service None "x"')
        request(self.proxy.port)
        self.assertEqual(self.told("on_grpc_close")[-1], "on_grpc_close 1 token=5 status=12")

    def test_the_deadline_is_the_servers_too(self):
        self.serve('on request_headers: grpc_call rpc test.Service Slow "x" timeout=300')
        request(self.proxy.port)
        line = self.told("on_grpc_close")[-1]
        self.assertIn(line, ["on_grpc_close 1 token=5 status=14", "on_grpc_close 1 token=5 status=4"])  # ours, or the server's
        wait_until(lambda: self.server.ended, "the server's end")

    def test_a_cancelled_call_is_reset(self):
        self.serve('on request_headers path=/go: grpc_call rpc test.Service Slow "x"\non request_headers path=/cancel: grpc_cancel 5')
        request(self.proxy.port, "/go")
        self.server.started.acquire()
        request(self.proxy.port, "/cancel")
        wait_until(lambda: self.server.ended, "the server's end")
        self.assertEqual(self.server.ended, ["cancelled"])

    def test_large_messages(self):
        self.serve(f'on request_headers path=/up: grpc_call rpc test.Service Echo "y"*{3 << 20}\n'
                   f'on request_headers path=/down: grpc_call rpc test.Service Size "{5 << 20}"')
        request(self.proxy.port, "/up")
        self.assertEqual(self.told("on_grpc_receive")[-1], f"on_grpc_receive 1 token=5 size={3 << 20}")
        request(self.proxy.port, "/down")
        self.assertEqual(self.told("on_grpc_receive", 2)[-1], f"on_grpc_receive 1 token=9 size={5 << 20}")

    def test_a_server_streams(self):
        self.serve('on request_headers: grpc_stream rpc test.Service Count; grpc_send 6 "300" end')
        request(self.proxy.port)
        lines = self.told("on_grpc_close")
        messages = [line for line in lines if line.startswith("on_grpc_receive ")]
        self.assertEqual(len(messages), 300)
        self.assertEqual(messages[-1], "on_grpc_receive 1 token=6 size=3")
        self.assertEqual(lines[-1], "on_grpc_close 1 token=6 status=0")

    def test_both_stream(self):
        self.serve('on request_headers path=/go: grpc_stream rpc test.Service Chat; grpc_send 6 "one"\n'
                   'on request_headers path=/more: grpc_send 6 "fail"\n'
                   'on request_headers path=/end: grpc_close 6\n'
                   'on grpc_receive: body grpc 0 10\n'
                   'on grpc_close: call_status')
        request(self.proxy.port, "/go")
        self.assertIn('  body grpc 0 10 = Ok "one"', self.told("  body grpc"))
        request(self.proxy.port, "/more")
        self.assertIn('  body grpc 0 10 = Ok "fail"', self.told("  body grpc", 2))
        request(self.proxy.port, "/end")
        self.assertIn('  call_status = Ok 10 "as asked{via_upstream}"', self.told("  call_status"))

    def test_a_server_that_goes_away(self):
        self.serve('on request_headers path=/go: grpc_stream rpc test.Service Chat; grpc_send 6 "one"\non request_headers: grpc_call rpc test.Service Echo ""')
        request(self.proxy.port, "/go")
        self.told("on_grpc_receive")
        self.server.close()
        self.told("on_grpc_close")
        request(self.proxy.port, "/again")
        self.assertEqual(self.told("on_grpc_close", 2)[-1], "on_grpc_close 1 token=5 status=14")
