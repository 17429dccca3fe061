# SPDX-License-Identifier: Apache-2.0
"""Upgrades of HTTP/1.1, such as WebSocket: which are let through, and the bytes that follow, in Inlay and in Envoy."""

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
from support.processes import PATIENCE, wait_until
from support.upgrades import AGREE, ALLOWS, ASK, CONNECT, GRANT, HTTP2, Http2Upgrades, Upgrades, WEBSOCKET, echo, tunnel
from support.wire import request


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
