# SPDX-License-Identifier: Apache-2.0
"""Bodies larger than memory stream through."""

import socket
import threading
import unittest

from support import config
from support.both import in_envoy_too
from support.origins import ScriptedOrigin
from support.processes import SANITIZED, TestCase
from support.wire import Wire

SIZE = (1 << 27) if SANITIZED else (1 << 29)
LIMIT_KIB = 64 * 1024
CHUNK = b"0123456789abcdef" * (1 << 16)  # 1 MiB


def read_and_count(sock, wanted):
    buffer, total = bytearray(1 << 20), 0
    while total < wanted:
        count = sock.recv_into(buffer, min(len(buffer), wanted - total))
        if not count:
            break
        total += count
    return total


@in_envoy_too
class LargeBodies(TestCase):
    def start_with(self, script):
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port)],
                                                       routes=[config.route(timeout="0s")]))
        return Wire(self.proxy.port, timeout=120)

    def check_memory(self):
        if not SANITIZED:
            limit = self.either(LIMIT_KIB, 2 * LIMIT_KIB, why="it has 60 MiB before it has done anything")
            self.assertLess(self.proxy.memory_peak_kib(), limit)

    def test_down(self):
        def script(wire):
            while wire.line():
                pass
            wire.socket.settimeout(120)
            wire.send(f"HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n")
            for _ in range(SIZE // len(CHUNK)):
                wire.send(CHUNK)
            wire.socket.recv(1)
        with self.start_with(script) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertEqual(wire.head().status, 200)
            total = len(wire.buffer) + read_and_count(wire.socket, SIZE - len(wire.buffer))
            self.assertEqual(total, SIZE)
        self.check_memory()

    def test_up(self):
        def script(wire):
            while wire.line():
                pass
            wire.socket.settimeout(120)
            total = len(wire.buffer) + read_and_count(wire.socket, SIZE - len(wire.buffer))
            body = str(total)
            wire.send(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}")
        with self.start_with(script) as wire:
            wire.send(f"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {SIZE}\r\n\r\n")
            for _ in range(SIZE // len(CHUNK)):
                wire.send(CHUNK)
            self.assertEqual(wire.response().body, str(SIZE).encode())
        self.check_memory()

    def test_both_ways_at_once_chunked(self):
        half = SIZE // 4
        def script(wire):
            while wire.line():
                pass
            wire.socket.settimeout(120)
            wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            while size := int(wire.line(), 16):
                data = wire.exactly(size)
                wire.line()
                wire.send(f"{size:x}\r\n".encode() + data + b"\r\n")
            wire.line()
            wire.send("0\r\n\r\n")
        with self.start_with(script) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
            def up():
                for _ in range(half // len(CHUNK)):
                    wire.socket.sendall(b"%x\r\n" % len(CHUNK) + CHUNK + b"\r\n")
                wire.socket.sendall(b"0\r\n\r\n")
            sender = threading.Thread(target=up)
            sender.start()
            self.assertEqual(wire.head().status, 200)
            total = 0
            while size := int(wire.line(), 16):
                total += len(wire.exactly(size))
                wire.line()
            sender.join()
            self.assertEqual(total, half)
        self.check_memory()

    def test_a_client_that_does_not_read_stops_the_upstream(self):
        sent = []
        done = threading.Event()
        def script(wire):
            while wire.line():
                pass
            wire.send(f"HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n")
            wire.socket.settimeout(2)
            total = 0
            try:
                for _ in range(SIZE // len(CHUNK)):
                    wire.socket.sendall(CHUNK)
                    total += len(CHUNK)
            except socket.timeout:
                pass
            sent.append(total)
            done.set()
        with self.start_with(script) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertTrue(done.wait(60))
            self.assertLess(sent[0], 64 << 20)
        self.check_memory()


if __name__ == "__main__":
    unittest.main()
