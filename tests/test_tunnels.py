# SPDX-License-Identifier: Apache-2.0
"""CONNECT: whose it is, passed on or ended here, in Inlay and in Envoy."""

import hashlib
import os
import socket
import threading
import time
import unittest

from support import config, tcp
from support.both import in_envoy_too
from support.processes import free_port, wait_until
from support.upgrades import ALLOWS, CONNECT, ENDS_HERE, GRANT, LOG, Upgrades, echo, tunnel
from support.wire import request


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


if __name__ == "__main__":
    unittest.main()
