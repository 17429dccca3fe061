# SPDX-License-Identifier: Apache-2.0
"""Upgrades, such as WebSocket, and CONNECT, of HTTP/1.1 and HTTP/2: which are let through, and the bytes that follow, in Inlay and in Envoy."""

import hashlib
import os
import signal
import socket
import threading
import time
import unittest

from support import config, tcp
from support.both import in_envoy_too, inlay_only
from support.guests import assemble, guest, import_proxy
from support.http2_client import Answer, Http2Client
from support.http2_origin import Http2Origin
from support.processes import PATIENCE, TestCase, free_port, wait_until
from support.wire import Wire, request

ASK = "GET /chat HTTP/1.1\r\nhost: inlay.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: abc\r\n\r\n"
AGREE = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: def\r\n\r\n"
WEBSOCKET = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
LOG = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT%"


def read_head(connection):
    """A request's head, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(1 << 16)
        if not chunk:
            raise OSError("no head came")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def echo(connection, first=b""):
    if first:
        connection.sendall(first)
    while chunk := connection.recv(1 << 16):
        connection.sendall(chunk)


class Upgrades(TestCase):
    """The origin agrees to what is asked for, and runs `then` with the connection."""

    def setUp(self):
        super().setUp()
        self.heads = []  # that the origin has got
        self.ends = []   # how its connections have ended

    def origin(self, answer=AGREE, then=echo):
        def serve(connection):
            head, rest = read_head(connection)
            self.heads.append(head)
            connection.sendall(answer)
            if rest:
                self.heads.append(rest)  # before the answer: no test wants that
            try:
                then(connection)
                self.ends.append("end")
            except OSError:
                self.ends.append("reset")
        server = tcp.ByteServer(serve)
        self.addCleanup(server.close)
        return server.port

    def serve(self, answer=AGREE, then=echo, manager=WEBSOCKET, routes=None, filters=(), flags=(), cluster=None, log=LOG, concurrency=1, **action):
        self.log_path = os.path.join(self.directory, f"access-{time.monotonic_ns()}.log")
        made = config.bootstrap([config.cluster("origin", self.origin(answer, then), **(cluster or {}))], filters, routes or [config.route(**action)],
                                **{"access_log": [config.file_log(self.log_path, log + "\n")], **manager})
        self.proxy = self.start_proxy(made, flags=("--file-flush-interval-msec", "20", *flags), concurrency=concurrency)
        return self.proxy

    def connect(self, ask=ASK):
        wire = Wire(self.proxy.port)
        self.addCleanup(wire.close)
        return wire.send(ask)

    def upgrade(self, ask=ASK):
        """A client's connection that has been upgraded."""
        wire = self.connect(ask)
        self.assertEqual(wire.head().status, 101)
        return wire

    def logged(self):
        def lines():
            try:
                with open(self.log_path) as file:
                    return file.read().splitlines()
            except OSError:
                return []
        return wait_until(lines, "an entry in the access log")

    def stat(self, name):
        return self.proxy.stats().get("http.ingress.downstream_" + name, 0)

    def field(self, name):
        """Of the head that the origin got."""
        return [line.split(": ", 1)[1] for line in self.heads[0].split("\r\n")[1:] if line.lower().startswith(name + ":")]


@in_envoy_too
class Switch(Upgrades):
    def test_bytes_both_ways(self):
        self.serve()
        wire = self.connect()
        head = wire.head()
        self.assertEqual([head.status, head.get("connection"), head.get("upgrade"), head.get("sec-websocket-accept")], [101, "Upgrade", "websocket", "def"])
        self.assertEqual([head.get("content-length"), head.get("transfer-encoding"), head.all("connection")], [None, None, ["Upgrade"]])
        for piece in (b"first", b"\x81\x05hello\x00\xff", b"GET / HTTP/1.1\r\n\r\n"):
            wire.send(piece)
            self.assertEqual(wire.exactly(len(piece)), piece)
        self.assertEqual([self.field(name) for name in ("connection", "upgrade", "sec-websocket-key", "transfer-encoding")],
                         [["Upgrade"], ["websocket"], ["abc"], []])

    def test_is_counted_and_logged(self):
        self.serve()
        wire = self.upgrade()
        wire.send(b"12345")
        self.assertEqual(wire.exactly(5), b"12345")
        self.assertEqual([self.stat("cx_upgrades_total"), self.stat("cx_upgrades_active"), self.stat("rq_active")], [1, 1, 1])
        wire.close()
        self.assertEqual(self.logged(), ["101 DC downstream_remote_disconnect 5 5"])
        wait_until(lambda: self.stat("cx_upgrades_active") == 0, "the stream has ended")
        self.assertEqual([self.stat("rq_1xx"), self.proxy.stats()["cluster.origin.upstream_rq_1xx"]], [1, 1])

    def test_what_comes_before_the_answer_waits_for_it(self):
        """So that no origin takes it for another request."""
        agreed = threading.Event()
        got = []

        def late(connection):
            connection.setblocking(False)
            try:
                got.append(connection.recv(1))
            except BlockingIOError:
                got.append(b"")
            connection.settimeout(PATIENCE)
            agreed.wait(PATIENCE)
            connection.sendall(AGREE)
            echo(connection)
        self.serve(answer=b"", then=late)
        wire = self.connect(ASK + "early")
        wait_until(lambda: got, "the origin has looked")
        agreed.set()
        self.assertEqual(wire.head().status, 101)
        self.assertEqual(wire.exactly(5), b"early")
        self.assertEqual((got, len(self.heads)), ([b""], 1))

    def test_the_answer_and_what_follows_it_in_one_piece(self):
        self.serve(answer=AGREE + b"hello")
        wire = self.upgrade()
        self.assertEqual(wire.exactly(5), b"hello")

    def test_of_another_protocol(self):
        self.serve(manager={"upgrade_configs": [{"upgrade_type": "foo/2"}]}, answer=AGREE.replace(b"upgrade: websocket", b"upgrade: foo/2"))
        wire = self.upgrade(ASK.replace("upgrade: websocket", "upgrade: Foo/2"))
        wire.send(b"x")
        self.assertEqual(wire.exactly(1), b"x")

    def test_the_fields_of_a_hop(self):
        self.serve()
        self.upgrade(ASK.replace("connection: Upgrade", "connection: keep-alive, Upgrade, x-own\r\nx-own: 1\r\nkeep-alive: 5\r\nproxy-connection: x\r\nte: trailers"))
        self.assertEqual([self.field(name) for name in ("connection", "x-own", "keep-alive", "proxy-connection", "te")],
                         [["keep-alive, Upgrade, x-own"], ["1"], [], [], ["trailers"]])

    def test_a_body_is_none(self):
        """What follows the head of an upgrade is the other protocol's."""
        self.serve()
        wire = self.upgrade(ASK.replace("GET", "POST").replace("\r\n\r\n", "\r\ncontent-length: 3\r\n\r\n"))
        wire.send(b"abcdef")
        self.assertEqual(wire.exactly(6), b"abcdef")
        wire = self.upgrade(ASK.replace("GET", "POST").replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n"))
        wire.send(b"0\r\n\r\n")
        self.assertEqual(wire.exactly(5), b"0\r\n\r\n")

    def test_both_ways_at_once(self):
        """Much more than any buffer takes."""
        data = os.urandom(1 << 20) * 8
        self.serve(then=lambda connection: tcp.read_exactly(connection, 1) and echo(connection), concurrency=2)
        wire = self.upgrade()
        threading.Thread(target=wire.send, args=(b"!" + data,), daemon=True).start()
        self.assertEqual(hashlib.sha256(wire.exactly(len(data))).digest(), hashlib.sha256(data).digest())

    @inlay_only("its memory")
    def test_memory_is_bounded_whoever_is_slow(self):
        data = os.urandom(1 << 20) * 64
        go_on = threading.Event()

        def slow(connection):
            go_on.wait(PATIENCE)
            connection.sendall(hashlib.sha256(tcp.read_exactly(connection, len(data))).digest())
        self.serve(then=slow)
        wire = self.upgrade()
        before = self.proxy.memory_peak_kib()
        sender = threading.Thread(target=wire.send, args=(data,), daemon=True)
        sender.start()
        sender.join(0.3)  # everything is full by then, or slow; either way it goes on
        go_on.set()
        self.assertEqual(wire.exactly(32), hashlib.sha256(data).digest())
        self.assertLess(self.proxy.memory_peak_kib() - before, 24 * 1024)


@in_envoy_too
class Allowed(Upgrades):
    def refused(self, ask=ASK):
        wire = self.connect(ask)
        response = wire.response()
        self.assertTrue(wire.ended())
        return response.status, response.get("connection"), response.body

    def test_not_by_itself(self):
        self.serve(manager={})
        self.assertEqual(self.refused(ASK + "GET / HTTP/1.1\r\nhost: inlay.test\r\n\r\n"), (403, "close", b""))
        self.assertEqual(self.logged()[0].split()[:3], ["403", "-", "upgrade_failed"])
        self.assertEqual((self.stat("rq_ws_on_non_ws_route"), self.stat("cx_upgrades_total"), self.heads), (1, 0, []))

    def test_by_the_route(self):
        self.serve(manager={}, upgrade_configs=[{"upgrade_type": "WebSocket"}])
        self.upgrade()
        self.serve(manager={"upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}]}, upgrade_configs=[{"upgrade_type": "websocket"}])
        self.upgrade()

    def test_not_by_the_route(self):
        self.serve(upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}])
        self.assertEqual(self.refused()[0], 403)

    def test_only_what_is_named(self):
        self.serve()
        self.assertEqual(self.refused(ASK.replace("upgrade: websocket", "upgrade: foo"))[0], 403)
        self.assertEqual(self.refused(ASK.replace("upgrade: websocket", "upgrade: foo\r\nupgrade: websocket"))[0], 403)

    def test_without_a_route_it_is_not_found(self):
        self.serve(routes=[config.route(match={"prefix": "/other"})])
        self.assertEqual(self.refused()[0], 404)
        self.assertEqual(self.logged(), ["404 NR route_not_found 0 0"])

    def test_a_route_that_answers_itself(self):
        answers = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "x"}}}]
        self.serve(routes=answers)
        self.assertEqual(self.refused(), (200, "close", b"x"))
        self.serve(routes=answers, manager={})
        self.assertEqual(self.refused()[0], 403)

    def test_what_is_no_upgrade(self):
        """`upgrade` that `connection` does not name, and h2c, which may be ignored."""
        self.serve(answer=b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", then=lambda connection: None)
        for fields in ({"upgrade": "websocket"}, {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AA"}):
            self.heads.clear()
            self.assertEqual(request(self.proxy.port, headers=fields).body, b"hi")
            self.assertEqual([self.field(name) for name in ("connection", "upgrade", "http2-settings")], [[], [], []])


@in_envoy_too
class Answers(Upgrades):
    """Of an origin that does not agree."""

    def answer(self, status, fields="content-length: 2", body="hi", ask=ASK, **serve):
        self.serve(answer=f"HTTP/1.1 {status} X\r\n{fields}\r\n\r\n{body}".encode(), **serve)
        wire = self.connect(ask)
        response = wire.response()
        self.assertTrue(wire.ended())
        return response.status, response.get("connection"), response.body, self.logged()[0].split()[2]

    def test_an_error_goes_to_the_client(self):
        for status in (400, 404, 503):
            self.assertEqual(self.answer(status, ask=ASK + "early"), (status, "close", b"hi", "via_upstream"))
        self.assertEqual(self.answer(500, "transfer-encoding: chunked", "2\r\nhi\r\n0\r\n\r\n"), (500, "close", b"hi", "via_upstream"))

    def test_of_others_the_head_alone(self):
        for status in (200, 201, 302):
            self.assertEqual(self.answer(status), (status, "close", b"", "websocket_handshake_unsuccessful"))

    def test_of_another_protocol_all(self):
        manager = {"upgrade_configs": [{"upgrade_type": "foo"}]}
        self.assertEqual(self.answer(200, ask=ASK.replace("upgrade: websocket", "upgrade: foo"), manager=manager), (200, "close", b"hi", "via_upstream"))

    @inlay_only("Envoy takes what follows for the other protocol, and its client waits until the stream is idle")
    def test_an_error_that_names_protocols(self):
        status, connection, body, _ = self.answer(426, "connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2")
        self.assertEqual((status, connection, body), (426, "upgrade", b"hi"))

    def test_no_length_may_follow_101(self):
        for fields, body in (("content-length: 2", "hi"), ("transfer-encoding: chunked", "0\r\n\r\n")):
            status, connection, _, details = self.answer(101, "connection: upgrade\r\nupgrade: websocket\r\n" + fields, body)
            self.assertEqual((status, connection, details), (502, "close", "upstream_reset_before_response_started{protocol_error}"))

    def test_101_to_nothing(self):
        self.serve(answer=b"HTTP/1.1 101 X\r\n\r\n")
        head = self.connect().head()
        self.assertEqual(head.status, self.either(inlay=502, envoy=101, why="it passes the answer on, and ends the connection"))


@in_envoy_too
class Ends(Upgrades):
    def test_of_the_client(self):
        """As in Envoy there is no half-close: the end of one side is the end of both. What came before it has arrived."""
        got = []
        self.serve(then=lambda connection: got.append(tcp.read_all(connection)))
        wire = self.upgrade()
        wire.send(b"last")
        wire.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(wire.ended())
        wait_until(lambda: self.ends, "the origin's connection has ended")
        if not self.in_envoy:  # which resets it
            self.assertEqual((got, self.ends), ([b"last"], ["end"]))

    def test_of_the_origin(self):
        self.serve(then=lambda connection: connection.sendall(tcp.read_exactly(connection, 1) + b"last"))
        wire = self.upgrade().send(b"!")
        self.assertEqual(wire.exactly(5), b"!last")
        self.assertTrue(wire.ended())
        self.assertEqual(self.logged(), ["101 UC upstream_reset_after_response_started{connection_termination} 1 5"])

    def test_a_reset_of_the_origin(self):
        self.serve(then=lambda connection: tcp.read_exactly(connection, 1) and tcp.reset(connection))
        self.assertTrue(self.upgrade().send(b"!").ended())
        self.assertEqual(self.logged(), ["101 UC upstream_reset_after_response_started{connection_termination} 1 0"])

    def test_a_reset_of_the_client(self):
        self.serve()
        tcp.reset(self.upgrade().socket)
        wait_until(lambda: self.ends, "the origin's connection has ended")
        self.assertEqual(self.logged(), ["101 DC downstream_remote_disconnect 0 0"])

    def test_all_that_was_sent_arrives_before_the_end(self):
        data = os.urandom(1 << 20) * 4
        self.serve(then=lambda connection: connection.sendall(data))
        wire = self.upgrade()
        time.sleep(0.1)  # the client reads when all buffers are full, or later
        self.assertEqual(hashlib.sha256(wire.exactly(len(data))).digest(), hashlib.sha256(data).digest())
        self.assertTrue(wire.ended())

    def test_an_origin_that_ends_before_its_answer(self):
        self.serve(answer=b"", then=lambda connection: None)
        response = self.connect().response()
        self.assertEqual(response.status, 503)


@in_envoy_too
class Times(Upgrades):
    def test_the_routes_timeout_is_the_handshakes(self):
        over = threading.Event()
        self.addCleanup(over.set)
        self.serve(answer=b"", then=lambda connection: over.wait(PATIENCE), timeout="0.2s")
        response = self.connect().response()
        self.assertEqual((response.status, response.body), (504, b"upstream request timeout"))

    def test_and_not_the_streams(self):
        self.serve(timeout="0.2s", manager={**WEBSOCKET, "request_timeout": "0.2s"})
        wire = self.upgrade()
        time.sleep(0.4)  # longer than what must not count
        wire.send(b"x")
        self.assertEqual(wire.exactly(1), b"x")

    def test_idle(self):
        for manager, action in (({"stream_idle_timeout": "0.3s"}, {}), ({}, {"idle_timeout": "0.3s"})):
            self.serve(manager={**WEBSOCKET, **manager}, **action)
            wire = self.upgrade()
            self.assertTrue(wire.ended())
            self.assertEqual(self.logged(), ["101 SI stream_idle_timeout 0 0"])
            self.assertEqual(self.stat("rq_idle_timeout"), 1)

    def test_the_longest_stream(self):
        self.serve(max_stream_duration={"max_stream_duration": "0.3s"})
        self.assertTrue(self.upgrade().ended())
        self.assertEqual(self.logged()[0].split()[2], "max_duration_timeout")

    def test_the_longest_connection_is_over_when_the_stream_is(self):
        self.serve(manager={**WEBSOCKET, "common_http_protocol_options": {"max_connection_duration": "0.2s", "max_requests_per_connection": 1}})
        wire = self.upgrade()
        wait_until(lambda: self.stat("cx_max_duration_reached") == 1, "the connection's time is over")
        wire.send(b"x")
        self.assertEqual(wire.exactly(1), b"x")


# Says whether a head ends its message, and the bytes of each body callback that has some, and puts "<" before them.
WATCHES = guest("""
  (data (i32.const 1024) "request head ends")
  (data (i32.const 1056) "request head goes on")
  (data (i32.const 1088) "response head ends")
  (data (i32.const 1120) "response head goes on")
  (data (i32.const 2048) "request body ")
  (data (i32.const 4096) "response body ")
  (data (i32.const 1152) "<")
  (func $head (param $end i32) (param $ends i32) (param $size i32) (param $goes_on i32)
    (if (local.get $end) (then (call $say (local.get $ends) (local.get $size)))
      (else (call $say (local.get $goes_on) (i32.add (local.get $size) (i32.const 3))))))
  (func $body (param $text i32) (param $size i32) (param $type i32) (param $length i32)
    (if (i32.eqz (local.get $length)) (then (return)))
    (drop (call $get_buffer_bytes (local.get $type) (i32.const 0) (local.get $length) (i32.const 16) (i32.const 20)))
    (memory.copy (i32.add (local.get $text) (local.get $size)) (i32.load (i32.const 16)) (i32.load (i32.const 20)))
    (call $say (local.get $text) (i32.add (local.get $size) (i32.load (i32.const 20))))
    (drop (call $set_buffer_bytes (local.get $type) (i32.const 0) (i32.const 0) (i32.const 1152) (i32.const 1))))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $head (local.get 2) (i32.const 1024) (i32.const 17) (i32.const 1056)) (i32.const 0))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (call $head (local.get 2) (i32.const 1088) (i32.const 18) (i32.const 1120)) (i32.const 0))
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
    (call $body (i32.const 2048) (i32.const 13) (i32.const 0) (local.get 1)) (i32.const 0))
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
    (call $body (i32.const 4096) (i32.const 14) (i32.const 1) (local.get 1)) (i32.const 0))
""", import_proxy("get_buffer_bytes", 5) + import_proxy("set_buffer_bytes", 5))

# Takes `upgrade` from each request.
TAKES = guest("""
  (data (i32.const 1024) "upgrade")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $remove_header_map_value (i32.const 0) (i32.const 1024) (i32.const 7))) (i32.const 0))
""", import_proxy("remove_header_map_value", 3))


@in_envoy_too
class Filters(Upgrades):
    """See the bytes of an upgraded stream as bodies, and may change them."""

    def filtered(self, text, **serve):
        return self.serve(filters=[config.wasm(assemble(self.directory, "guest", text))], **serve)

    def test_bytes_are_bodies(self):
        self.filtered(WATCHES)
        wire = self.upgrade()
        wire.send(b"hello")
        self.assertEqual(wire.exactly(7), b"<<hello")
        wait_until(lambda: "response body <hello" in self.proxy.log(), "the guest has told all")
        log = self.proxy.log()
        places = [log.find(text) for text in ("request head goes on", "response head goes on", "request body hello", "response body <hello")]
        self.assertNotIn(-1, places)
        self.assertEqual(places, sorted(places))

    def test_a_request_that_is_none_any_more(self):
        """What a filter leaves of it counts."""
        self.filtered(TAKES, answer=b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        response = self.connect().response()
        self.assertEqual((response.status, response.body, self.field("upgrade")), (200, b"hi", []))


CONNECT = "CONNECT service.test:443 HTTP/1.1\r\nhost: service.test:443\r\n\r\n"
ALLOWS = {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}
ENDS_HERE = [{"upgrade_type": "CONNECT", "connect_config": {}}]
GRANT = b"HTTP/1.1 200 OK\r\n\r\n"


def tunnel(**action):
    return config.route(match={"connect_matcher": {}}, **action)


@in_envoy_too
class Tunnels(Upgrades):
    """CONNECT that is passed on."""

    def tunnel(self, answer=GRANT, then=echo, manager=ALLOWS, routes=None, **action):
        return self.serve(answer, then, manager, routes or [tunnel(**action), config.route()])

    def test_bytes_both_ways(self):
        self.tunnel()
        wire = self.connect(CONNECT)
        head = wire.head()
        self.assertEqual([head.status, head.get("connection"), head.get("content-length"), head.get("transfer-encoding")], [200, None, None, None])
        wire.send(b"\x16\x03\x01")
        self.assertEqual(wire.exactly(3), b"\x16\x03\x01")
        self.assertEqual(self.heads[0].split("\r\n")[0], "CONNECT service.test:443 HTTP/1.1")
        wire.close()
        self.assertEqual(self.logged(), ["200 DC downstream_remote_disconnect 3 3"])
        self.assertEqual(self.stat("cx_upgrades_total"), 1)

    def test_what_comes_before_the_answer_waits_for_it(self):
        self.tunnel()
        wire = self.connect(CONNECT + "early")
        self.assertEqual(wire.head().status, 200)
        self.assertEqual(wire.exactly(5), b"early")
        self.assertEqual(len(self.heads), 1)

    def test_an_answer_that_does_not_grant_it(self):
        self.tunnel(answer=b"HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno")
        wire = self.connect(CONNECT + "early")
        response = wire.response()
        self.assertEqual((response.status, response.get("connection"), response.body), (403, "close", b"no"))
        self.assertTrue(wire.ended())

    def test_a_length_means_nothing(self):
        self.tunnel(answer=b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nhello")
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().get("content-length"), self.either(inlay=None, envoy="1", why="it leaves the field"))
        self.assertEqual(wire.exactly(5), b"hello")

    def test_to_another_authority(self):
        self.tunnel(host_rewrite_literal="other.test:1")
        self.assertEqual(self.connect(CONNECT).head().status, 200)
        self.assertTrue(self.heads[0].startswith("CONNECT other.test:1 HTTP/1.1\r\nhost: other.test:1\r\n"))

    def test_only_its_own_routes_take_it(self):
        self.tunnel(routes=[config.route()])
        self.assertEqual(self.connect(CONNECT).response().status, 404)
        self.tunnel(routes=[tunnel()])
        self.assertEqual(request(self.proxy.port).status, 404)
        self.assertEqual(self.heads, [])

    def test_only_where_it_is_allowed(self):
        self.tunnel(manager={})
        response = self.connect(CONNECT).response()
        self.assertEqual((response.status, response.get("connection")), (403, "close"))
        self.tunnel(upgrade_configs=[{"upgrade_type": "CONNECT", "enabled": False}])
        self.assertEqual(self.connect(CONNECT).response().status, 403)

    def test_a_path_is_not_given_to_it(self):
        self.tunnel(prefix_rewrite="/x")
        response = self.connect(CONNECT).response()
        self.assertEqual((response.status, response.body), (503, b"missing required header: :protocol"))

    def test_of_the_origin(self):
        self.tunnel(then=lambda connection: connection.sendall(tcp.read_exactly(connection, 1) + b"last"))
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().status, 200)
        self.assertEqual(wire.send(b"!").exactly(5), b"!last")
        self.assertTrue(wire.ended())


@in_envoy_too
class TunnelsThatEndHere(Upgrades):
    """CONNECT whose cluster gets the bytes alone."""

    def tunnel(self, then=echo, port=None, **action):
        """`then`: what the server does with its connection."""
        server = None if port else tcp.ByteServer(then)
        if server:
            self.addCleanup(server.close)
        self.log_path = os.path.join(self.directory, f"access-{time.monotonic_ns()}.log")
        made = config.bootstrap([config.cluster("origin", port or server.port)], routes=[tunnel(**{"upgrade_configs": ENDS_HERE, **action}), config.route()],
                                access_log=[config.file_log(self.log_path, LOG + "\n")])
        self.proxy = self.start_proxy(made, flags=("--file-flush-interval-msec", "20"), concurrency=1)

    def test_bytes_both_ways(self):
        self.tunnel()
        wire = self.connect(CONNECT + "early")
        head = wire.head()
        self.assertEqual([head.status, head.get("connection"), head.get("content-length"), head.get("transfer-encoding")], [200, None, None, None])
        self.assertEqual(wire.exactly(5), b"early")
        wire.send(b"\x16\x03\x01")
        self.assertEqual(wire.exactly(3), b"\x16\x03\x01")
        self.assertEqual(self.stat("cx_upgrades_active"), 1)
        wire.close()
        self.assertEqual(self.logged(), ["200 DC downstream_remote_disconnect 8 8"])

    def test_a_server_that_speaks_first(self):
        self.tunnel(lambda connection: (connection.sendall(b"220 ready"), connection.recv(1)))
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().status, 200)
        self.assertEqual(wire.exactly(9), b"220 ready")

    def test_the_end_of_the_server(self):
        self.tunnel(lambda connection: connection.sendall(tcp.read_exactly(connection, 1) + b"last"))
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().status, 200)
        self.assertEqual(wire.send(b"!").exactly(5), b"!last")
        self.assertTrue(wire.ended())

    def test_the_end_of_the_client(self):
        got = []
        self.tunnel(lambda connection: got.append(tcp.read_all(connection)))
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().status, 200)
        wire.send(b"last")
        wire.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(wire.ended())
        wait_until(lambda: got, "the server's connection has ended")
        self.assertEqual(got, [b"last"])

    def test_a_server_that_refuses(self):
        self.tunnel(port=free_port())
        response = self.connect(CONNECT).response()
        self.assertEqual(response.status, 503)
        self.assertTrue(response.body.startswith(b"upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"))

    def test_both_ways_at_once(self):
        data = os.urandom(1 << 20) * 8
        self.tunnel()
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().status, 200)
        threading.Thread(target=wire.send, args=(data,), daemon=True).start()
        self.assertEqual(hashlib.sha256(wire.exactly(len(data))).digest(), hashlib.sha256(data).digest())

    def test_idle(self):
        self.tunnel(idle_timeout="0.3s", timeout="0.1s")
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().status, 200)
        self.assertTrue(wire.ended())
        self.assertEqual(self.logged(), ["200 SI stream_idle_timeout 0 0"])


HTTP2 = {**WEBSOCKET, "http2_protocol_options": {"allow_connect": True}}
ASK_HTTP2 = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"), (":authority", "inlay.test"), ("sec-websocket-version", "13")]
CONNECT_HTTP2 = [(":method", "CONNECT"), (":authority", "service.test:443")]
ENABLE_CONNECT_PROTOCOL = 8


class Stream:
    """A client's stream of HTTP/2 that goes on after its head."""

    def __init__(self, port, fields):
        self.client = Http2Client(port)
        self.until(lambda: self.client.settings)
        self.id = self.client.h2.get_next_available_stream_id()
        self.answer = self.client.answers[self.id] = Answer()
        self.client.h2.send_headers(self.id, fields)
        self.client.flush()

    def until(self, condition):
        """Reads until there is what is waited for, or the connection's end."""
        while not condition() and not self.client.ended:
            self.client.read()
        return self

    def head(self):
        self.until(lambda: self.answer.fields or self.answer.reset is not None)
        return self.answer

    def exactly(self, count):
        self.until(lambda: len(self.answer.body) >= count or self.answer.ended or self.answer.reset is not None)
        return self.answer.body[:count]

    def send(self, data, end=False):
        self.client.send(self.id, data, end)
        return self


class Http2Upgrades(Upgrades):
    def stream(self, fields=ASK_HTTP2):
        made = Stream(self.proxy.port, fields)
        self.addCleanup(made.client.close)
        return made


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
        self.serve(manager=HTTP2, then=lambda connection: connection.sendall(tcp.read_all(connection)))
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


@inlay_only("its reload and its drain")
class Drain(Http2Upgrades):
    def end(self, *flags):
        """Ends the proxy while an upgraded connection is in use."""
        self.serve(flags=flags)
        wire = self.upgrade()
        self.proxy.terminate()
        wait_until(lambda: "draining" in self.proxy.log(), "the drain")
        wire.send(b"x")
        self.assertEqual(wire.exactly(1), b"x")
        return wire

    def test_waits_for_an_upgraded_connection(self):
        wire = self.end()
        self.assertTrue(self.proxy.running())
        wire.close()
        self.assertEqual(self.proxy.wait(), 0)

    def test_and_no_longer_than_its_time(self):
        wire = self.end("--drain-time-s", "1")
        self.assertTrue(wire.ended())
        self.assertEqual(self.proxy.wait(), 0)

    def test_over_http2_too(self):
        self.serve(manager=HTTP2, flags=("--drain-time-s", "1"))
        stream = self.stream()
        self.assertEqual(stream.send(b"x").exactly(1), b"x")
        self.proxy.terminate()
        wait_until(lambda: "draining" in self.proxy.log(), "the drain")
        stream.until(lambda: False)
        self.assertTrue(stream.client.ended)
        self.assertEqual(self.proxy.wait(), 0)

    def test_a_tunnel_too(self):
        self.serve(GRANT, manager=ALLOWS, routes=[tunnel()], flags=("--drain-time-s", "1"))
        wire = self.connect(CONNECT)
        self.assertEqual(wire.head().status, 200)
        self.proxy.terminate()
        self.assertTrue(wire.ended())
        self.assertEqual(self.proxy.wait(), 0)

    def test_a_reload_lets_it_go_on_for_the_drain_time(self):
        for flags in ((), ("--drain-time-s", "1")):
            self.serve(flags=flags)
            wire = self.upgrade()
            self.proxy.process.send_signal(signal.SIGHUP)
            self.proxy.wait_for(lambda: self.proxy.stats().get("server.reload_success", 0) == 1, "the reload")
            if flags:
                self.assertTrue(wire.ended())
            else:
                self.assertEqual(wire.send(b"x").exactly(1), b"x")
                self.assertEqual(self.proxy.stats()["server.draining_configurations"], 1)
                self.upgrade().close()
                wire.close()
            self.proxy.wait_for(lambda: self.proxy.stats()["server.draining_configurations"] == 0, "the end of the old configuration")


if __name__ == "__main__":
    unittest.main()
