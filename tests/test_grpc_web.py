# SPDX-License-Identifier: Apache-2.0
"""Browsers' gRPC: what the filter grpc_web makes of requests and answers, in Inlay and in Envoy."""

import base64
import os
import struct
import unittest

from support import config
from support.both import in_envoy_too
from support.grpc_server import GrpcServer, needs_grpc
from support.http2_client import Http2Client
from support.http2_origin import Http2Origin
from support.origins import PythonServer
from support.processes import BUILD, TestCase
from support.wire import request

FILTER = {"name": "web", "typed_config": {"@type": config.TYPE + "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb"}}
BINARY, TEXT = "application/grpc-web+proto", "application/grpc-web-text+proto"


def frame(message, flags=0):
    return bytes([flags]) + struct.pack("!I", len(message)) + message


def frames(body):
    """(flags, bytes) of each frame."""
    found = []
    while body:
        size = struct.unpack("!I", body[1:5])[0]
        found.append((body[0], body[5:5 + size]))
        body = body[5 + size:]
    return found


def from_text(text):
    """Of groups of base64 that end in padding anywhere."""
    return b"".join(base64.b64decode(text[at:at + 4], validate=True) for at in range(0, len(text), 4))


def trailers(data):
    return dict(line.split(":", 1) for line in data.decode().split("\r\n") if line)


class GrpcWeb(TestCase):
    def serve(self, port, filters=(FILTER,), **fields):
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", port, **config.speaks_http2())], list(filters), **fields))

    def call(self, method="Echo", body=frame(b"hello"), kind=BINARY, accept=None):
        headers = {"content-type": kind, **({"accept": accept} if accept else {})}
        return request(self.proxy.port, "/test.Service/" + method, "POST", headers=headers, body=body)


@needs_grpc
@in_envoy_too
class RealServer(GrpcWeb):
    def setUp(self):
        super().setUp()
        self.server = GrpcServer()
        self.addCleanup(self.server.close)
        self.serve(self.server.port)

    def test_binary(self):
        response = self.call()
        self.assertEqual((response.status, response.get("content-type")), (200, BINARY))
        message, end = frames(response.body)
        self.assertEqual((message, end[0]), ((0, b"hello"), 0x80))
        self.assertEqual((trailers(end[1])["grpc-status"], trailers(end[1])["x-end"]), ("0", "2"))

    def test_text(self):
        response = self.call(body=base64.b64encode(frame(b"hello")), kind=TEXT, accept=TEXT)
        self.assertEqual((response.status, response.get("content-type")), (200, TEXT))
        message, end = frames(from_text(response.body))
        self.assertEqual((message, trailers(end[1])["grpc-status"]), ((0, b"hello"), "0"))

    def test_streams_of_the_server(self):
        for kind, decode in ((BINARY, bytes), (TEXT, from_text)):
            body = frame(b"50") if kind == BINARY else base64.b64encode(frame(b"50"))
            found = frames(decode(self.call("Count", body, kind, kind).body))
            self.assertEqual([data for _, data in found[:-1]], [str(i).encode() for i in range(1, 51)])

    def test_a_large_message_as_text(self):
        response = self.call("Size", base64.b64encode(frame(b"1000000")), TEXT, TEXT)
        self.assertEqual(frames(from_text(response.body))[0], (0, b"x" * 1_000_000))

    def test_an_error_of_the_service(self):
        response = self.call("Fail")
        self.assertEqual(response.status, 200)
        said = trailers(frames(response.body)[-1][1]) if response.body else dict(response.headers)
        self.assertEqual((said["grpc-status"], said["grpc-message"]), ("5", "nothing here: 100%25 sure"))

    def test_over_http2(self):
        with Http2Client(self.proxy.port) as client:
            response = client.request("/test.Service/Echo", "POST", [("content-type", BINARY)], frame(b"hello"))
        self.assertEqual((response.status, frames(response.body)[0]), (200, (0, b"hello")))

    def test_grpc_itself_passes(self):
        with Http2Client(self.proxy.port) as client:
            response = client.request("/test.Service/Echo", "POST", [("content-type", "application/grpc"), ("te", "trailers")], frame(b"hello"))
        self.assertEqual((response.status, response.body), (200, frame(b"hello")))
        self.assertEqual(dict(response.trailers)["grpc-status"], "0")


@in_envoy_too
class Requests(GrpcWeb):
    def setUp(self):
        super().setUp()
        self.origin = Http2Origin()
        self.addCleanup(self.origin.close)

    def test_what_the_service_gets(self):
        self.serve(self.origin.port)
        self.call(body=frame(b"hello"))
        seen = self.origin.requests[0]
        self.assertEqual([seen.get(name) for name in ("content-type", "te", "grpc-accept-encoding", "content-length")],
                         ["application/grpc", "trailers", "identity", None])
        self.assertEqual(seen.body, frame(b"hello"))

    def test_a_route_for_grpc_alone_does_not_take_it(self):
        """Its route is that of the request as it came."""
        routes = [config.route("origin", {"prefix": "/", "grpc": {}}), {"match": {"prefix": "/"}, "direct_response": {"status": 418}}]
        self.serve(self.origin.port, routes=routes)
        self.assertEqual(self.call().status, 418)

    def test_plugins_behind_it_are_told_of_that_route(self):
        plugin = config.wasm(os.path.join(BUILD, "wasm", "puppet_0_2_1.wasm"), "on request_headers: prop xds.route_name", name="a")
        grpc = {**config.route("origin", {"prefix": "/", "grpc": {}}), "name": "grpc"}
        self.serve(self.origin.port, [FILTER, plugin], routes=[grpc, {"name": "other", "match": {"prefix": "/"}, "direct_response": {"status": 418}}])
        self.assertEqual(self.call().status, 418)
        self.proxy.wait_for(lambda: "prop xds.route_name = Ok \"other\"" in self.proxy.log(), "the route's name")

    def test_what_is_no_base64(self):
        self.serve(self.origin.port)
        for body in (b"AAAA*AAA", b"AAAAA"):
            response = self.call(body=body, kind=TEXT)
            self.assertEqual((response.status, response.get("grpc-status"), response.get("grpc-message"), response.body),
                             (400, "13", "Bad gRPC-web request, invalid base64 data.", b""))

    def test_a_route_turns_it_off(self):
        off = {"web": {"@type": config.TYPE + "envoy.config.route.v3.FilterConfig", "disabled": True}}
        self.serve(self.origin.port, routes=[{**config.route(), "typed_per_filter_config": off}])
        self.call()
        self.assertEqual(self.origin.requests[0].get("content-type"), BINARY)


@in_envoy_too
class Foreign(GrpcWeb):
    """Answers that are no gRPC's."""

    def ask(self, answer):
        origin = PythonServer(answer)
        self.addCleanup(origin.close)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port)], [FILTER]))
        response = self.call()
        return response.status, response.get("content-type"), response.get("grpc-status"), response.get("grpc-message"), response.body

    def test_an_error(self):
        self.assertEqual(self.ask(lambda _: (503, {"content-type": "text/plain"}, b"not now")), (503, BINARY, "14", "not now", b""))

    def test_a_page(self):
        self.assertEqual(self.ask(lambda _: (200, {"content-type": "text/html"}, "<é>".encode())), (200, BINARY, "2", "<%C3%A9>", b""))

    def test_more_than_a_message_has(self):
        status, _, code, message, body = self.ask(lambda _: (500, {}, b"x" * 100_000))
        self.assertEqual((status, code, body), (500, "2", b""))
        self.assertLessEqual(len(message), 100_000)
        self.assertEqual(message.strip("x"), "")

    def test_of_the_proxy_itself(self):
        self.serve(1, routes=[{"match": {"prefix": "/"}, "direct_response": {"status": 403, "body": {"inline_string": "no"}}}])
        response = self.call()
        self.assertEqual((response.status, response.get("content-type"), response.get("grpc-status"), response.get("grpc-message")),
                         (403, BINARY, "7", "no"))


if __name__ == "__main__":
    unittest.main()
