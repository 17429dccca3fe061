# SPDX-License-Identifier: Apache-2.0
"""A provider of tokens and keys with every fault that one can have, and an upstream that remembers what it was sent."""

import dataclasses
import json
import socket
import struct
import threading
import time

from .origins import read_request
from .processes import PATIENCE, free_port
from .tcp import Acceptor
from .wire import Wire

LIFETIME = 1.0  # of a token, in seconds
OK = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def response(head, body):
    body = body if isinstance(body, bytes) else body.encode()
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


class Server:
    """A TCP server that a test may take down and up again at one port: `serve(wire)` has each connection on a thread."""

    def __init__(self, serve, up=True):
        self.serve = serve
        self.port = free_port()
        self.listener = None
        self.connections = set()
        self.lock = threading.Lock()
        if up:
            self.up()

    def up(self):
        self.listener = Acceptor(self.port, self._run)

    def down(self):
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.close()
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _run(self, connection):
        wire = Wire.__new__(Wire)
        wire.socket, wire.buffer = connection, b""
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.connections.add(connection)
        try:
            self.serve(wire)
        except (OSError, EOFError, ValueError):
            pass
        with self.lock:
            self.connections.discard(connection)
        connection.close()


class Provider(Server):
    """Gives tok-N to POST /token and key-N to GET /headers, or does as its fault says. Knows when each token ends."""

    def __init__(self, up=True):
        self.fault = None
        self.given = 0
        self.asked = 0
        self.ends = {}  # by token: when its life is over
        super().__init__(self.talk, up)

    def talk(self, wire):
        while True:
            line, _, _, _ = read_request(wire)
            self.asked += 1
            fault, is_token = self.fault, line.startswith("POST /token ")
            if fault is not None:
                if fault(self, wire, is_token) is False:
                    return
                continue
            wire.send(self.answer(is_token))

    def token(self, lifetime=LIFETIME):
        self.given += 1
        token = f"tok-{self.given}"
        self.ends[f"Bearer {token}"] = time.monotonic() + lifetime
        return token

    def key(self):
        self.given += 1
        return f"key-{self.given}"

    def answer(self, is_token):
        if is_token:
            return response(OK, json.dumps({"access_token": self.token(), "token_type": "Bearer", "expires_in": LIFETIME}))
        return response(OK, json.dumps({"x-key": self.key()}))


@dataclasses.dataclass
class Seen:
    """A request as the upstream saw it."""
    at: float
    line: str
    headers: dict
    status: int

    def get(self, name):
        values = self.headers.get(name, [])
        return values[0] if len(values) == 1 else values or None


class Upstream(Server):
    def __init__(self):
        self.seen = []
        self.refuses = lambda path, token: False
        super().__init__(self.talk)

    def talk(self, wire):
        while True:
            line, headers, _, _ = read_request(wire)
            seen = Seen(time.monotonic(), line, headers, 200)
            if self.refuses(line.split()[1], seen.get("authorization")):
                seen.status = 401
            self.seen.append(seen)
            wire.send(response(f"HTTP/1.1 {seen.status} X\r\n", "seen"))


# What can go wrong with an answer. Each is called as fault(provider, wire, is_token), and gives False to close.

def status(line):
    return lambda p, wire, _: wire.send(response(f"HTTP/1.1 {line}\r\n", '{"s3cr3t-body": "tok-leak"}')) and True


def body(text):
    return lambda p, wire, _: wire.send(response(OK, text)) and True


def given_up(wire):
    """Waits until the other side has closed."""
    while wire.socket.recv(1 << 16):
        pass


def slow(provider, wire, is_token):
    """The answer comes when nobody waits for it any more."""
    given_up(wire)
    wire.send(provider.answer(is_token))
    return False


def reset(provider, wire, is_token):
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silent(provider, wire, is_token):
    given_up(wire)
    return False


def raw(data):
    def fault(provider, wire, is_token):
        wire.send(data)
        return False
    return fault


def huge(provider, wire, is_token):
    wire.send(response(OK, b'{"access_token": "tok-huge", "x-key": "' + b"x" * 10_000_000 + b'"}'))
    return True


def lifetime(expires_in, real=LIFETIME):
    """Good tokens with an odd expires_in (as JSON, "" for none); `real` is how long such a token may be sent."""
    def fault(provider, wire, is_token):
        if not is_token:
            return wire.send(provider.answer(False)) and True
        text = f', "expires_in": {expires_in}' if expires_in else ""
        return wire.send(response(OK, f'{{"access_token": "{provider.token(real)}"{text}}}')) and True
    return fault


def forged(provider, wire, is_token):
    """A good answer with names and framing that it must not set."""
    extra = {"host": "evil", ":path": "/evil", "content-length": "0", "Transfer-Encoding": "chunked", "x y": "1", "te": "x",
             "x-evil\r\nx-evil": "1", "Connection": "x-key", "": "1", "x-number": 1, "Upgrade": "h2c", "x-null": None}
    if is_token:
        answer = {"access_token": provider.token(), "expires_in": LIFETIME, **extra}
    else:
        answer = {"x-key": provider.key(), **extra}
    return wire.send(response(OK, json.dumps(answer))) and True
