# SPDX-License-Identifier: Apache-2.0
"""Upgrades and tunnels of clients of HTTP/2, and to upstreams of HTTP/2 (RFC 8441), in Inlay and in Envoy."""

import hashlib
import os
import time
import unittest

from support import config, tcp
from support.both import in_envoy_too, inlay_only
from support.http2_client import Answer
from support.http2_origin import Http2Origin
from support.processes import wait_until
from support.upgrades import ALLOWS, ASK_HTTP2, CONNECT, CONNECT_HTTP2, ENABLE_CONNECT_PROTOCOL, ENDS_HERE, GRANT, HTTP2, Http2Upgrades, LOG, WEBSOCKET, tunnel


@in_envoy_too
class OfHttp2Clients(Http2Upgrades):
    """RFC 8441: to all behind the codec it is an upgrade as of HTTP/1.1."""

    def test_bytes_both_ways(self):
        self.serve(manager=HTTP2, log=LOG + " %PROTOCOL% %REQ(:METHOD)% %REQ(UPGRADE)%")
        stream = self.stream()
        head = stream.head()
        self.assertEqual([head.status, head.get("sec-websocket-accept"), head.get("upgrade"), head.get("connection")], [200, "def", None, None])
        self.assertEqual(stream.client.settings[ENABLE_CONNECT_PROTOCOL], 1)
        self.assertEqual(stream.send(b"\x81\x05hello").exactly(7), b"\x81\x05hello")
        self.assertTrue(self.heads[0].startswith("GET /chat HTTP/1.1\r\nhost: inlay.test\r\n"))
        self.assertEqual([self.field(name) for name in ("connection", "upgrade", "sec-websocket-version", "transfer-encoding")], [["upgrade"], ["websocket"], ["13"], []])
        self.assertEqual(self.stat("cx_upgrades_active"), 1)
        stream.client.close()
        self.assertEqual(self.logged(), ["101 DC downstream_remote_disconnect 7 7 HTTP/2 GET websocket"])
        wait_until(lambda: self.stat("cx_upgrades_active") == 0, "the stream has ended")

    def test_several_on_one_connection(self):
        self.serve(manager=HTTP2)
        first = self.stream()
        second = first.client.h2.get_next_available_stream_id()
        first.client.answers[second] = Answer()
        first.client.h2.send_headers(second, ASK_HTTP2)
        first.client.send(first.id, b"one")
        first.client.send(second, b"two")
        first.until(lambda: (first.answer.body, first.client.answers[second].body) == (b"one", b"two"))
        self.assertEqual(self.stat("cx_upgrades_active"), 2)

    def test_only_where_it_is_allowed(self):
        self.serve(manager={"http2_protocol_options": {"allow_connect": True}})
        self.assertEqual(self.stream().head().status, 403)
        self.assertEqual(self.stat("rq_ws_on_non_ws_route"), 1)
        self.serve()
        stream = self.stream()
        self.assertEqual((stream.head().fields, stream.client.ended), (None, True))

    def test_answers_that_do_not_agree(self):
        self.serve(manager=HTTP2, answer=b"HTTP/1.1 404 No\r\ncontent-length: 2\r\n\r\nno")
        stream = self.stream()
        self.assertEqual((stream.head().status, stream.exactly(2)), (404, b"no"))
        self.serve(manager=HTTP2, answer=b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        stream = self.stream()
        self.assertEqual((stream.head().status, stream.exactly(2), stream.answer.ended), (200, b"", True))

    def test_the_end_of_the_origin(self):
        self.serve(manager=HTTP2, then=lambda connection: connection.sendall(tcp.read_exactly(connection, 1) + b"last"))
        stream = self.stream().send(b"!")
        self.assertEqual(stream.exactly(5), b"!last")
        stream.until(lambda: stream.answer.reset is not None)
        self.assertEqual(stream.answer.reset, self.either(inlay=2, envoy=10, why="it says CONNECT_ERROR, and not INTERNAL_ERROR"))

    def test_a_reset_of_the_client(self):
        self.serve(manager=HTTP2)
        stream = self.stream().send(b"x")
        self.assertEqual(stream.exactly(1), b"x")
        stream.client.cancel(stream.id)
        wait_until(lambda: self.ends, "the origin's connection has ended")

    @inlay_only("Envoy tells an upstream of HTTP/1 nothing of a stream's end")
    def test_an_end_of_the_client_is_the_ends_of_its_side(self):
        def late(connection):
            data = tcp.read_all(connection)
            time.sleep(0.4)  # longer than the route's timeout, which must not count
            connection.sendall(data)
        self.serve(manager=HTTP2, then=late, timeout="0.2s")
        self.assertEqual(self.stream().send(b"last", end=True).exactly(4), b"last")

    def test_a_tunnel_that_ends_here(self):
        server = tcp.ByteServer(lambda connection: connection.sendall(tcp.read_all(connection)))
        self.addCleanup(server.close)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", server.port)], routes=[tunnel(upgrade_configs=ENDS_HERE), config.route()]))
        stream = self.stream(CONNECT_HTTP2)
        self.assertEqual(stream.head().status, 200)
        self.assertEqual(stream.send(b"last", end=True).exactly(4), b"last")
        stream.until(lambda: stream.answer.ended)
        self.assertTrue(stream.answer.ended)

    def test_a_tunnel_that_is_passed_on(self):
        self.serve(GRANT, manager=ALLOWS, routes=[tunnel()])
        stream = self.stream(CONNECT_HTTP2)
        self.assertEqual(stream.head().status, 200)
        self.assertEqual(stream.send(b"x").exactly(1), b"x")
        self.assertTrue(self.heads[0].startswith("CONNECT service.test:443 HTTP/1.1\r\n"))

    def test_much_more_than_a_window(self):
        data = os.urandom(1 << 20) * 4
        self.serve(manager={**HTTP2, "http2_protocol_options": {"allow_connect": True, "initial_stream_window_size": 65535, "initial_connection_window_size": 65535}})
        stream = self.stream()
        self.assertEqual(stream.head().status, 200)
        for at in range(0, len(data), 1 << 16):
            stream.send(data[at:at + (1 << 16)])
        self.assertEqual(hashlib.sha256(stream.exactly(len(data))).digest(), hashlib.sha256(data).digest())


@in_envoy_too
class ToHttp2Origins(Http2Upgrades):
    def ask(self, early, manager=WEBSOCKET, **action):
        """`early`: what the origin does with the request's head."""
        self.origin = Http2Origin(early=early, settings={ENABLE_CONNECT_PROTOCOL: 1})
        self.addCleanup(self.origin.close)
        self.log_path = os.path.join(self.directory, f"access-{time.monotonic_ns()}.log")
        made = config.bootstrap([config.cluster("origin", self.origin.port, **config.speaks_http2())], routes=[config.route(**action)],
                                **{"access_log": [config.file_log(self.log_path, LOG + "\n")], **manager})
        self.proxy = self.start_proxy(made, flags=("--file-flush-interval-msec", "20"))

    @staticmethod
    def agree(request):
        request.headers(200, [("sec-websocket-accept", "def")])
        request.data(b"hi")

    def test_bytes_both_ways(self):
        self.ask(self.agree)
        wire = self.connect()
        head = wire.head()
        self.assertEqual([head.status, head.get("connection"), head.get("upgrade"), head.get("sec-websocket-accept")], [101, "upgrade", "websocket", "def"])
        self.assertEqual(wire.exactly(2), b"hi")
        wire.send(b"hello")
        seen = self.origin.requests[0]
        wait_until(lambda: seen.body == b"hello", "the origin has it")
        self.assertEqual([seen.get(name) for name in (":method", ":protocol", ":path", ":authority", ":scheme", "upgrade", "connection", "sec-websocket-key")],
                         ["CONNECT", "websocket", "/chat", "inlay.test", "http", None, None, "abc"])
        wire.close()
        wait_until(lambda: seen.reset is not None, "the origin's stream has ended")
        self.assertEqual(self.logged(), ["101 DC downstream_remote_disconnect 5 2"])

    def test_of_a_client_of_http2(self):
        self.ask(self.agree, manager=HTTP2)
        stream = self.stream()
        self.assertEqual((stream.head().status, stream.exactly(2)), (200, b"hi"))
        stream.send(b"hello")
        wait_until(lambda: self.origin.requests[0].body == b"hello", "the origin has it")

    def test_an_error(self):
        self.ask(lambda request: request.answer(404, body=b"no"))
        wire = self.connect()
        response = wire.response()
        self.assertEqual((response.status, response.body, response.get("connection")), (404, b"no", "close"))
        self.assertTrue(wire.ended())

    def test_an_end_of_the_origin(self):
        def end(request):
            request.headers(200)
            request.data(b"last", end=True)
        self.ask(end)
        wire = self.upgrade()
        self.assertEqual(wire.exactly(4), b"last")
        self.assertTrue(wire.ended())

    def test_the_routes_timeout_is_the_handshakes(self):
        self.ask(lambda request: None, timeout="0.2s")
        self.assertEqual(self.connect().response().status, 504)


if __name__ == "__main__":
    unittest.main()
