# SPDX-License-Identifier: Apache-2.0
"""Upgrades and tunnels: what clients ask, an origin that agrees, and streams of HTTP/2 that go on after their head."""

import os
import time

from . import config, tcp
from .http2_client import Answer, Http2Client
from .processes import TestCase, wait_until
from .wire import Wire

ASK = "GET /chat HTTP/1.1\r\nhost: inlay.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: abc\r\n\r\n"
AGREE = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: def\r\n\r\n"
WEBSOCKET = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
LOG = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT%"
CONNECT = "CONNECT service.test:443 HTTP/1.1\r\nhost: service.test:443\r\n\r\n"
ALLOWS = {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}
ENDS_HERE = [{"upgrade_type": "CONNECT", "connect_config": {}}]
GRANT = b"HTTP/1.1 200 OK\r\n\r\n"
HTTP2 = {**WEBSOCKET, "http2_protocol_options": {"allow_connect": True}}
ASK_HTTP2 = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"), (":authority", "inlay.test"), ("sec-websocket-version", "13")]
CONNECT_HTTP2 = [(":method", "CONNECT"), (":authority", "service.test:443")]
ENABLE_CONNECT_PROTOCOL = 8


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


def tunnel(**action):
    return config.route(match={"connect_matcher": {}}, **action)


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
