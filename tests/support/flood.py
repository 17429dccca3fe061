# SPDX-License-Identifier: Apache-2.0
"""Clients that write requests as fast as the socket takes them, and what the proxy's memory says to that."""

import selectors
import socket
import ssl
import time

from . import config
from .certificates import Authority
from .origins import Echo
from .processes import Proxy

SMALL = b"GET / HTTP/1.1\r\nHost: h1\r\n\r\n"
LARGE = b"GET / HTTP/1.1\r\nHost: h1\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"a" * 10_000) for n in range(5)) + b"\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: h1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n"
REQUESTS = {"head of 28 bytes": SMALL, "head of 50 KiB": LARGE, "body of one-byte chunks": BODY}


class Client:
    """One connection. `tls` is an ssl.SSLContext or None. A client that does not read has a small receive buffer, so that
    its answers wait in the proxy."""

    def __init__(self, port, request, reads=True, tls=None):
        self.reads = reads
        self.block = memoryview(request * max(1, (256 << 10) // len(request)))
        self.at = 0
        self.taken = 0     # bytes of requests that the socket took
        self.received = 0  # bytes of answers
        self.ended = False
        self.socket = socket.socket()
        if not reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="proxy.test")
        self.socket.setblocking(False)

    def step(self):
        """Sends and receives what can be."""
        try:
            for _ in range(16):
                sent = self.socket.send(self.block[self.at:self.at + (1 << 14)])
                self.taken += sent
                self.at = (self.at + sent) % len(self.block)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.ended = True
        try:
            while self.reads and (data := self.socket.recv(1 << 16)):
                self.received += len(data)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.ended = True

    def close(self):
        self.socket.close()


def run(clients, done):
    """Lets them write until done(); it is asked about twenty times a second."""
    selector = selectors.DefaultSelector()
    for client in clients:
        events = selectors.EVENT_WRITE | (selectors.EVENT_READ if client.reads else 0)
        selector.register(client.socket, events, client)
    asked = time.monotonic()
    try:
        while True:
            for key, _ in selector.select(0.05):
                key.data.step()
                if key.data.ended:
                    selector.unregister(key.data.socket)
            if time.monotonic() - asked >= 0.05:
                asked = time.monotonic()
                if done():
                    return
    finally:
        selector.close()


class Target:
    """A proxy before an echo, plain and with TLS; one worker. `start` takes a Program."""

    def __init__(self, directory, start, **manager):
        certificate, key = Authority(directory, "flood-ca").issue("flood-proxy", "DNS:proxy.test")
        echo = start(Echo(directory, name="flood-echo"))
        made = config.bootstrap([config.cluster("origin", echo.port)], **manager)
        over_tls = config.listener(name="tls", **manager)
        over_tls["filter_chains"][0]["transport_socket"] = config.downstream_tls(certificate, key)
        made["static_resources"]["listeners"].append(over_tls)
        self.proxy = start(Proxy(directory, made, name="flood-proxy")).wait_ready()
        self.port = self.proxy.port
        self.tls_port = over_tls["address"]["socket_address"]["port_value"]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def client(self, request, reads=True, tls=False):
        return Client(self.tls_port if tls else self.port, request, reads, self.context if tls else None)

    def answered(self):
        return sum(value for name, value in self.proxy.stats().items() if name.endswith(".downstream_rq_2xx"))
