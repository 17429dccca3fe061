# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 on both sides, byte by byte: messages, what origins answer, headers."""

import re
import unittest

from support import config
from support.both import in_envoy_too
from support.http1 import GET, OK, Http1
from support.origins import ScriptedOrigin, echoed, read_request
from support.processes import wait_until
from support.wire import Wire, request


@in_envoy_too
class Messages(Http1):
    def test_keep_alive(self):
        with Wire(self.port) as wire:
            for number in range(5):
                wire.send(f"GET /{number} HTTP/1.1\r\nhost: a\r\n\r\n")
                self.assertIn(f"GET /{number} HTTP/1.1".encode(), wire.response().body)

    def test_upstream_connections_are_reused(self):
        connections = []
        def script(wire):
            connections.append(1)
            while True:
                read_request(wire)
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        port = self.scripted(script)
        for _ in range(10):
            self.assertEqual(request(port).body, b"ok")
        self.assertEqual(len(connections), 1)

    def test_connection_close_is_honoured(self):
        with Wire(self.port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            response = wire.response()
            self.assertEqual(response.get("connection"), "close")
            self.assertTrue(wire.ended())

    def test_pipelined_requests_are_answered_in_order(self):
        with Wire(self.port) as wire:
            wire.send("".join(f"GET /{n} HTTP/1.1\r\nhost: a\r\n\r\n" for n in range(50)))
            for number in range(50):
                self.assertTrue(wire.response().body.startswith(f"GET /{number} ".encode()))

    def test_a_pipelined_post_does_not_swallow_the_next(self):
        with Wire(self.port) as wire:
            wire.send("POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"
                      "POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                      "GET /c HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertIn(b"body: 5 bytes", wire.response().body)
            self.assertIn(b"body: 3 bytes", wire.response().body)
            self.assertTrue(wire.response().body.startswith(b"GET /c "))

    def test_a_request_byte_by_byte(self):
        with Wire(self.port) as wire:
            for byte in "POST /slow HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n":
                wire.send(byte)
            self.assertIn(b"body: 3 bytes", wire.response().body)

    def test_chunked_both_ways(self):
        got = []
        def script(wire):
            while True:
                got.append(read_request(wire))
                wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                for part in ("hello ", "chunked ", "world"):
                    wire.send(f"{len(part):x}\r\n{part}\r\n")
                wire.send("0\r\n\r\n")
        port = self.scripted(script)
        with Wire(port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
            for part in ("up ", "and ", "away"):
                wire.send(f"{len(part):x}\r\n{part}\r\n")
            wire.send("0\r\n\r\n")
            response = wire.response()
        self.assertTrue(response.chunked)
        self.assertEqual(response.body, b"hello chunked world")
        self.assertEqual(got[0][2], b"up and away")
        self.assertNotIn("content-length", got[0][1])

    def test_a_body_until_close(self):
        def script(wire):
            read_request(wire)
            wire.send("HTTP/1.1 200 OK\r\n\r\nthe end is the end")
            wire.socket.close()
        self.assertEqual(request(self.scripted(script)).body, b"the end is the end")

    def test_a_body_streams_before_it_is_complete(self):
        def script(wire):
            read_request(wire)
            wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            wire.line()  # until the client has seen it
        with Wire(self.scripted(script)) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertEqual(wire.head().status, 200)
            self.assertEqual(wire.line(), "5")
            self.assertEqual(wire.exactly(5), b"first")

    def test_head_has_no_body(self):
        with Wire(self.port) as wire:
            wire.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\nGET /next HTTP/1.1\r\nhost: a\r\n\r\n")
            response = wire.response("HEAD")
            self.assertEqual(response.status, 200)
            self.assertGreater(int(response.get("content-length")), 0)
            self.assertTrue(wire.response().body.startswith(b"GET /next "))

    def test_no_content_and_not_modified(self):
        answers = iter(["204 No Content\r\n", "304 Not Modified\r\netag: x\r\n", "200 OK\r\ncontent-length: 2\r\n"])
        def script(wire):
            while True:
                read_request(wire)
                head = next(answers)
                wire.send(f"HTTP/1.1 {head}\r\n" + ("ok" if head.startswith("200") else ""))
        with Wire(self.scripted(script)) as wire:
            for status in (204, 304, 200):
                wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                self.assertEqual(wire.response().status, status)

    def test_expect_100_continue(self):
        with Wire(self.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n")
            self.assertEqual(wire.response(informational=True).status, 100)
            wire.send("data")
            response = wire.response(informational=True)
            self.assertEqual(response.status, 200)
            self.assertIn(b"body: 4 bytes", response.body)

    def test_a_body_without_expect_gets_no_100(self):
        with Wire(self.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\ndata")
            self.assertEqual(wire.response(informational=True).status, 200)

    def test_an_early_answer_to_a_large_upload(self):
        def script(wire):
            while wire.line():
                pass
            wire.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
        with Wire(self.scripted(script)) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n" + "x" * 1000)
            response = wire.response()
            self.assertEqual((response.status, response.body), (403, b"no"))

    def test_http_1_0(self):
        with Wire(self.port) as wire:
            wire.send("GET / HTTP/1.0\r\nhost: a\r\n\r\n")
            response = wire.response()
            # Envoy takes HTTP/1.0 only with accept_http_10, and says 426 Upgrade Required.
            self.assertIn(response.status, (426, 200))
            self.assertTrue(wire.ended())


@in_envoy_too
class Trailers(Http1):
    UP = ("POST / HTTP/1.1\r\nhost: a\r\naccept: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
          "2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n")

    @staticmethod
    def script(wire):
        while True:
            read_request(wire)
            wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 8\r\n\r\n")

    def test_dropped_by_default(self):
        with Wire(self.port) as wire:
            wire.send(self.UP)
            self.assertIn(b'"trailers": {}', wire.response().body)
        self.assertEqual(request(self.scripted(self.script)).trailers, [])

    def test_kept_where_they_are_enabled(self):
        enabled = {"http_protocol_options": {"enable_trailers": True}}
        got = []
        def script(wire):
            while True:
                got.append(read_request(wire))
                wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 8\r\n\r\n")
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        options = {"@type": config.TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                   "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}}}
        cluster = config.cluster("origin", origin.port, typed_extension_protocol_options={
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options})
        proxy = self.start_proxy(config.bootstrap([cluster], **enabled))
        with Wire(proxy.port) as wire:
            wire.send(self.UP)
            self.assertEqual(wire.response().trailers, [("x-sum", "8")])
        self.assertEqual(got[0][3], [("x-sum", "7")])


@in_envoy_too
class Interim(Http1):
    """As Envoy 1.40: interim answers are swallowed, or with proxy_100_continue the first of 100, 102 and 103 is passed on. None
    goes to HTTP/1.0, where Envoy sends them, too."""

    @staticmethod
    def script(wire):
        while True:
            read_request(wire)
            wire.send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nconnection: x-hop\r\nx-hop: 1\r\n\r\n"
                      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 What\r\n\r\n" + OK)

    def test_swallowed_by_default(self):
        with Wire(self.scripted(self.script)) as wire:
            for _ in range(2):
                response = wire.send(GET).response(informational=True)
                self.assertEqual((response.status, response.body, response.get("link")), (200, b"ok", None))

    def test_the_first_is_passed_on_where_asked_for(self):
        with Wire(self.scripted(self.script, proxy_100_continue=True)) as wire:
            for _ in range(2):
                hints = wire.send(GET).response(informational=True)
                hop = self.either([], [("x-hop", "1")], why="nominated headers of responses stay")
                self.assertEqual((hints.status, hints.headers), (103, [("link", "</a>"), *hop]))
                response = wire.response(informational=True)
                self.assertEqual((response.status, response.body, response.get("link")), (200, b"ok", None))

    def test_the_origin_decides_about_expect_where_asked_for(self):
        got = []
        def script(wire):
            while line := wire.line():
                got.append(line.lower())
            wire.send("HTTP/1.1 100 Continue\r\n\r\n")
            wire.exactly(4)
            wire.send(OK)
        with Wire(self.scripted(script, proxy_100_continue=True)) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n")
            self.assertEqual(wire.response(informational=True).status, 100)
            self.assertEqual(wire.send("data").response(informational=True).status, 200)
        self.assertIn("expect: 100-continue", got)

    def test_none_to_http_1_0(self):
        old = {"http_protocol_options": {"accept_http_10": True}}
        with Wire(self.scripted(self.script, proxy_100_continue=True, **old)) as wire:
            wire.send("GET / HTTP/1.0\r\nhost: a\r\n\r\n")
            first = self.either(200, 103, why="HTTP/1.0, which knows no interim answers, gets them, too")
            self.assertEqual(wire.response(informational=True).status, first)


@in_envoy_too
class BrokenAnswers(Http1):
    """What an origin sent before it died is the client's. As Envoy 1.40, which drops the part before a broken chunk."""

    def broken(self, answer):
        def script(wire):
            read_request(wire)
            wire.send(answer)
            wire.socket.close()
        log = {"name": "log", "typed_config": {
            "@type": config.TYPE + "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"text_format_source": {"inline_string": "LOG %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n"}}}}
        with Wire(self.scripted(script, access_log=[log])) as wire:
            wire.send(GET)
            received = b""
            while data := wire.socket.recv(1 << 16):
                received += data
        head, _, body = received.partition(b"\r\n\r\n")
        proxy = self.programs[-1]
        line = wait_until(lambda: [text for text in proxy.log().splitlines() if text.startswith("LOG")], "the access log")
        return head.split(b" ")[1], body, line[0]

    def test_a_body_that_is_cut_short(self):
        started = "LOG 200 UPE upstream_reset_after_response_started{protocol_error}"
        for answer, body in (("content-length: 10\r\n\r\nhel", b"hel"),
                             ("content-length: 10\r\n\r\n", b""),
                             ("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", b"5\r\nhello\r\n"),
                             ("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n", self.either(
                                 b"5\r\nhello\r\n", b"", why="the part before a broken chunk is dropped"))):
            with self.subTest(answer):
                self.assertEqual(self.broken("HTTP/1.1 200 OK\r\n" + answer), (b"200", body, started))

    def test_a_head_that_is_cut_short(self):
        def script(wire):
            read_request(wire)
            wire.send("HTTP/1.1 200 OK\r\nconte")
            wire.socket.close()
        self.assertEqual(request(self.scripted(script)).status, 502)


@in_envoy_too
class Origins(Http1):
    """Answers of odd origins that are still answers. As Envoy 1.40."""

    def answer(self, text):
        def script(wire):
            while True:
                read_request(wire)
                wire.send(text)
        return request(self.scripted(script))

    def test_lines_that_end_with_lf(self):
        response = self.answer("HTTP/1.1 200 OK\ncontent-length: 2\nx: y\n\nok")
        self.assertEqual((response.status, response.get("x"), response.body), (200, "y", b"ok"))

    def test_statuses_above_the_classes(self):
        self.assertEqual(self.answer("HTTP/1.1 799 Odd\r\ncontent-length: 2\r\n\r\nok").status, 799)

    def test_padded_chunk_lines(self):
        response = self.answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n02  \r\nok\r\n0 ; a=b\r\n\r\n")
        self.assertEqual(response.body, b"ok")


@in_envoy_too
class Headers(Http1):
    def test_hop_by_hop_headers_are_removed(self):
        response = request(self.port, headers=[
            ("connection", "keep-alive, x-private"), ("x-private", "1"), ("keep-alive", "timeout=5"), ("te", "gzip"),
            ("proxy-connection", "keep-alive"), ("upgrade", "nothing"), ("trailer", "x"), ("x-public", "1"),
            ("accept", "application/json")])
        self.assertEqual(response.status, 200)
        text = response.body.decode()
        for name in ("x-private", "keep-alive", "proxy-connection", "upgrade", '"te"', '"connection"'):
            self.assertNotIn(name, text)
        self.assertIn('"x-public": "1"', text)

    def test_hop_by_hop_headers_of_the_response_are_removed(self):
        def script(wire):
            while True:
                read_request(wire)
                wire.send("HTTP/1.1 200 OK\r\nconnection: keep-alive, x-private\r\nx-private: 1\r\nkeep-alive: timeout=5\r\n"
                          "content-length: 2\r\nX-Public: yes\r\n\r\nok")
        response = request(self.scripted(script))
        self.assertEqual(response.get("x-public"), "yes")
        self.assertEqual(response.get("x-private"), self.either(None, "1", why="nominated headers of responses stay"))
        self.assertIsNone(response.get("keep-alive"))

    def test_what_the_proxy_adds(self):
        seen = echoed(self.port)["headers"]
        self.assertRegex(seen["x-request-id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual(seen["x-forwarded-proto"], "http")
        self.assertEqual(seen["x-envoy-expected-rq-timeout-ms"], "15000")
        self.assertEqual(seen["host"], "inlay.test")
        self.assertNotIn("x-forwarded-for", seen)
        response = request(self.port)
        self.assertEqual(response.all("server"), ["envoy"])
        self.assertRegex(response.get("date"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertTrue(response.get("x-envoy-upstream-service-time").isdigit())
        self.assertNotEqual(echoed(self.port)["headers"]["x-request-id"], seen["x-request-id"])

    def test_use_remote_address(self):
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port)], use_remote_address=True))
        seen = echoed(proxy.port, headers={"x-forwarded-for": "10.9.8.7"})["headers"]
        own = self.either(inlay=r"127\.0\.0\.1", envoy=r"[0-9a-f.:]+", why="Envoy writes the machine's address in the place of loopback's")
        self.assertRegex(re.sub(r"\s", "", seen["x-forwarded-for"]), rf"^10\.9\.8\.7,{own}$")

    def test_header_values_pass_unchanged(self):
        value = "a\tb  c \xe9\xff;,=\"'"
        seen = echoed(self.port, headers={"x-odd": value})["headers"]
        self.assertEqual(seen["x-odd"], value)

    def test_repeated_headers_stay_apart_and_in_order(self):
        seen = request(self.port, headers=[("x-a", "1"), ("x-b", "2"), ("x-a", "3")]).body.decode()
        self.assertLess(seen.index("x-a: 1"), seen.index("x-a: 3"))
        def script(wire):
            read_request(wire)
            wire.send("HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n")
        self.assertEqual(request(self.scripted(script)).all("set-cookie"), ["a=1", "b=2"])


if __name__ == "__main__":
    unittest.main()
