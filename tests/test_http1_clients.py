# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1, byte by byte: what clients do, limits, timeouts, and how either side leaves."""

import socket
import threading
import unittest

from support import config
from support.both import in_envoy_too
from support.http1 import GET, OK, Http1
from support.origins import read_request
from support.processes import PATIENCE, wait_until
from support.wire import Wire, request


@in_envoy_too
class Clients(Http1):
    def test_methods_that_envoy_does_not_know(self):
        for method, status in (("FROB-X_1", 400), ("get", 400), ("M-SEARCH", 400), ("PRI", 400), ("QUERY", 400), ("PROPFIND", 200)):
            with self.subTest(method):
                self.assertEqual(request(self.port, method=method).status, status)
        query = request(self.port, method="QUERY", headers={"content-type": "a/b"}).status
        self.assertEqual(query, self.since("1.40", 200, 400, why="QUERY is none of its methods"))
        custom = {"http_protocol_options": {"allow_custom_methods": True}}
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port)], **custom))
        self.assertTrue(request(proxy.port, method="FROB-X_1").body.startswith(b"FROB-X_1 / "))

    def test_a_length_with_zeros_before_it_is_passed_on_without(self):
        with Wire(self.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 00000000000000000000002\r\n\r\nhi")
            body = wire.response().body
        self.assertIn(b"content-length: 2\n", body.replace(b"\r", b""))
        self.assertIn(b"body: 2 bytes", body)

    def test_later_versions(self):
        with Wire(self.port) as wire:
            self.assertEqual(wire.send("GET / HTTP/1.2\r\nhost: a\r\n\r\n").response().status, 426)

    def test_a_client_that_leaves_ends_its_request(self):
        for behind in ("", GET):  # with a pipelined request that is not read
            with self.subTest(behind=behind):
                came, ended = threading.Event(), threading.Event()
                def script(wire):
                    read_request(wire)
                    came.set()
                    if wire.socket.recv(1) == b"":
                        ended.set()
                port = self.scripted(script)
                with Wire(port) as wire:
                    wire.send(GET + behind)
                    self.assertTrue(came.wait(PATIENCE))
                    wire.socket.shutdown(socket.SHUT_WR)
                    self.assertTrue(ended.wait(PATIENCE), "the upstream connection ends")
                    self.assertTrue(wire.ended())
                proxy = self.programs[-1]
                wait_until(lambda: proxy.stats()["cluster.origin.upstream_rq_active"] == 0, "the request's end")  # noqa: B023
                self.assertEqual(proxy.stats()["http.ingress.downstream_rq_rx_reset"], 1)

    def test_part_of_a_head_does_not_hold_up_the_end(self):
        with Wire(self.port) as wire:
            wire.send("GET / HT")
            wait_until(lambda: self.proxy.stats()["http.ingress.downstream_rq_active"] == 1, "the head to begin")
            self.proxy.terminate()
            self.assertEqual(self.proxy.wait(), 0)
            self.assertTrue(wire.ended())

    def test_an_answer_before_the_request_is_whole_says_close(self):
        def script(wire):
            while wire.line():
                pass
            wire.send(OK)
            wire.line()
        with Wire(self.scripted(script)) as wire:
            response = wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc").response()
            self.assertEqual((response.status, response.get("connection")), (200, "close"))
            self.assertTrue(wire.ended())


@in_envoy_too
class Limits(Http1):
    def refused(self, text, status):
        with Wire(self.port) as wire:
            wire.send(text)
            self.assertEqual(wire.response().status, status)
            self.assertTrue(wire.ended())

    def test_headers_too_large(self):
        self.refused("GET / HTTP/1.1\r\nhost: a\r\nx-large: " + "a" * (61 * 1024) + "\r\n\r\n", 431)

    def test_headers_that_just_fit(self):
        response = request(self.port, headers={"x-large": "a" * (58 * 1024)})
        self.assertEqual(response.status, 200)

    def test_too_many_headers(self):
        self.refused("GET / HTTP/1.1\r\nhost: a\r\n" + "".join(f"x-{n}: 1\r\n" for n in range(120)) + "\r\n", 431)

    def test_a_path_too_large(self):
        self.refused("GET /" + "a" * (61 * 1024) + " HTTP/1.1\r\nhost: a\r\n\r\n", 431)

    def test_malformed_requests(self):
        for text in ("NONSENSE\r\n\r\n",
                     "GET / HTTP/1.1\r\nhost a\r\n\r\n",
                     "GET / HTTP/1.1\r\nhost: a\r\nx\x01y: 1\r\n\r\n",
                     "GET / HTTP/1.1\r\nhost: a\r\n folded: 1\r\n\r\n",
                     "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
                     "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
                     "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                     "GET / HTTP/1.1\r\n\r\n"):
            with self.subTest(text[:60]), Wire(self.port) as wire:
                wire.send(text)
                status = wire.response().status
                self.assertIn(status, (400, 501), text)
                self.assertTrue(wire.ended())
        self.assertEqual(request(self.port).status, 200)

    def test_two_hosts(self):
        with Wire(self.port) as wire:
            status = wire.send("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n").response().status
            self.assertEqual(status, self.either(400, 200, why="RFC 9112 section 3.2 wants 400; Envoy goes on with 'a,b'"))

    def test_a_malformed_chunk_never_becomes_a_request(self):
        with Wire(self.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertEqual(wire.response().status, 400)
            self.assertTrue(wire.ended())


@in_envoy_too
class Timeouts(Http1):
    manager = {"stream_idle_timeout": "0.4s", "request_headers_timeout": "0.4s",
               "common_http_protocol_options": {"idle_timeout": "0.6s"}}

    def test_a_head_that_never_ends(self):
        with Wire(self.port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n")
            self.assertEqual(wire.response().status, 408)
            self.assertTrue(wire.ended())

    def test_a_body_that_never_comes(self):
        with Wire(self.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n123")
            response = wire.response()
            self.assertEqual(response.status, 408)

    def test_an_idle_connection_is_closed(self):
        with Wire(self.port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            wire.response()
            self.assertTrue(wire.ended())  # long before the hour that is the default

    def test_request_timeout(self):
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port)], request_timeout="0.4s"))
        with Wire(proxy.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n123")
            self.assertEqual(wire.response().status, 408)


@in_envoy_too
class Disconnects(Http1):
    def test_a_client_that_leaves_releases_the_upstream(self):
        ended = []
        def script(wire):
            read_request(wire)
            ended.append("asked")
            try:
                if wire.socket.recv(1) == b"":
                    ended.append("closed")
            except OSError:
                ended.append("closed")
        port = self.scripted(script)
        with Wire(port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            wait_until(lambda: ended, "the request to arrive")
        wait_until(lambda: "closed" in ended, "the upstream connection to be closed")

    def test_an_upstream_that_breaks_off_within_a_body(self):
        def script(wire):
            read_request(wire)
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
            wire.socket.close()
        with Wire(self.scripted(script)) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            with self.assertRaises((EOFError, ConnectionResetError)):
                wire.response()


if __name__ == "__main__":
    unittest.main()
