# SPDX-License-Identifier: Apache-2.0
"""A guest of the SDK's holds requests and connections until a service has answered: an answer acts on the stream that
asked, and on no other. The guest is examples/gate; each test runs in Inlay and, where it can be had, in Envoy."""

import os
import socket
import threading

from support import config, tcp
from support.both import in_envoy_too
from support.config import cluster
from support.origins import PythonServer
from support.processes import BUILD, PATIENCE, TestCase, wait_until
from support.wire import Wire

GATE = os.path.join(BUILD, "wasm", "gate.wasm")


class Service:
    """Answers a check when the test says so: 200 to `admin`, 403 to everybody else."""

    def __init__(self):
        self.asked = []  # (user, event)
        self.server = PythonServer(self.answer)
        self.port = self.server.port

    def answer(self, handler):
        user, may_answer = handler.headers.get("x-user"), threading.Event()
        self.asked.append((user, may_answer))
        may_answer.wait(PATIENCE)
        return (200 if user == "admin" else 403), {}, b""

    def wait_for_calls(self, users):
        wait_until(lambda: [user for user, _ in self.asked] == users, f"calls of {users}")

    def answer_call(self, index):
        self.asked[index][1].set()

    def close(self):
        for _, event in self.asked:
            event.set()
        self.server.close()


@in_envoy_too
class Streams(TestCase):
    def setUp(self):
        super().setUp()
        self.service = Service()
        self.addCleanup(self.service.close)

    def wait_for_answer(self, proxy, code, count=1):
        wait_until(lambda: proxy.stats().get(f"cluster.auth.upstream_rq_{code}", 0) == count, f"{count} answers of {code}")

    def serve_http(self):
        self.paths = []

        def origin(handler):
            self.paths.append((handler.path, handler.headers.get("x-checked")))
            return 200, {}, b"from the origin"
        server = PythonServer(origin)
        self.addCleanup(server.close)
        made = config.bootstrap([cluster("origin", server.port), cluster("auth", self.service.port)],
                                [config.wasm(GATE, name="gate")])
        return self.start_proxy(made, concurrency=1)

    def request(self, proxy, user, path):
        wire = Wire(proxy.port)
        self.addCleanup(wire.close)
        return wire.send(f"GET {path} HTTP/1.1\r\nhost: a\r\nx-user: {user}\r\n\r\n")

    def test_an_answer_of_a_request_that_is_gone(self):
        proxy = self.serve_http()
        gone = self.request(proxy, "admin", "/first")
        self.service.wait_for_calls(["admin"])
        tcp.reset(gone.socket)
        wait_until(lambda: proxy.stats()["http.ingress.downstream_rq_active"] == 0, "the end of the first request")
        other = self.request(proxy, "mallory", "/second")
        self.service.wait_for_calls(["admin", "mallory"])
        self.service.answer_call(0)
        self.wait_for_answer(proxy, 200)
        self.service.answer_call(1)
        refused = other.response()
        self.assertEqual((refused.status, refused.body), (403, b"not allowed\n"))
        self.assertEqual(self.paths, [])
        # The connection goes on, and so does the guest.
        admin = self.request(proxy, "admin", "/third")
        self.service.wait_for_calls(["admin", "mallory", "admin"])
        self.service.answer_call(2)
        self.assertEqual(admin.response().body, b"from the origin")
        self.assertEqual(self.paths, [("/third", "yes")])

    def test_two_requests_wait_at_the_same_time(self):
        proxy = self.serve_http()
        admin = self.request(proxy, "admin", "/admin")
        self.service.wait_for_calls(["admin"])
        other = self.request(proxy, "mallory", "/other")
        self.service.wait_for_calls(["admin", "mallory"])
        self.service.answer_call(1)
        self.assertEqual(other.response().status, 403)
        self.service.answer_call(0)
        self.assertEqual(admin.response().status, 200)
        self.assertEqual(self.paths, [("/admin", "yes")])

    def test_a_service_that_cannot_be_called(self):
        made = config.bootstrap([cluster("origin", self.service.port), cluster("auth")], [config.wasm(GATE, name="gate")])
        proxy = self.start_proxy(made, concurrency=1)
        for _ in range(2):
            self.assertEqual(self.request(proxy, "admin", "/").response().status, 403)
        self.assertEqual(self.service.asked, [])

    def serve_tcp(self):
        self.received = []

        def origin(connection):
            while chunk := connection.recv(1 << 16):
                self.received.append(chunk)
                connection.sendall(b"from the origin")
        server = tcp.ByteServer(origin)
        self.addCleanup(server.close)
        made = tcp.bootstrap([cluster("origin", server.port), cluster("auth", self.service.port)],
                             [tcp.wasm_filter(GATE, name="gate")])
        return self.start_proxy(made, concurrency=1)

    def connect(self, proxy, text):
        connection = tcp.connect(proxy.port)
        self.addCleanup(connection.close)
        connection.sendall(text)
        return connection

    def test_an_answer_of_a_connection_that_is_gone(self):
        proxy = self.serve_tcp()
        gone = self.connect(proxy, b"admin\nfirst")
        self.service.wait_for_calls(["admin"])
        tcp.reset(gone)
        wait_until(lambda: proxy.stats()[f"listener.127.0.0.1_{proxy.port}.downstream_cx_active"] == 0,
                   "the end of the first connection")
        other = self.connect(proxy, b"mallory\nsecond")
        self.service.wait_for_calls(["admin", "mallory"])
        self.service.answer_call(0)
        self.wait_for_answer(proxy, 200)
        self.service.answer_call(1)
        self.assertEqual(tcp.read_all(other), b"")
        self.assertEqual(self.received, [])
        admin = self.connect(proxy, b"admin\nthird")
        self.service.wait_for_calls(["admin", "mallory", "admin"])
        self.service.answer_call(2)
        self.assertEqual(tcp.read_exactly(admin, 15), b"from the origin")
        self.assertEqual(self.received, [b"admin\nthird"])
