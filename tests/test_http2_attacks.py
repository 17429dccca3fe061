# SPDX-License-Identifier: Apache-2.0
"""What hostile clients of HTTP/2 send, frame by frame: each gets its connection ended or is held up, and others are served."""

import socket
import struct

from support import config
from support.both import in_envoy_too
from support.processes import PATIENCE, SANITIZED, TestCase, wait_until
from support.wire import request

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
GET = bytes.fromhex("828684") + b"\x41\x01a"  # :method GET, :scheme http, :path /, :authority a; of HPACK's static table
MIB = 1 << 20


def frame(kind, payload=b"", stream=0, flags=0):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Attacker:
    """A connection that writes frames. It reads only when it is told to."""

    def __init__(self, port, settings=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(PREFACE + frame(SETTINGS, settings))

    def send(self, data):
        """False: the connection is over, or nobody reads any more."""
        self.socket.settimeout(2)
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def frames(self):
        """(kind, stream, payload) of all that comes, to the end of the connection."""
        self.socket.settimeout(PATIENCE)
        data, found = b"", []
        try:
            while chunk := self.socket.recv(1 << 16):
                data += chunk
        except ConnectionResetError:
            pass
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            size = int.from_bytes(data[:3], "big")
            found.append((data[3], int.from_bytes(data[5:9], "big"), data[9:9 + size]))
            data = data[9 + size:]
        return found

    def done(self):
        """It has sent all, if anybody has let it."""
        self.send(frame(GOAWAY, bytes(8)))
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@in_envoy_too
class Attacks(TestCase):
    def setUp(self):
        super().setUp()
        answers = [{"match": {"prefix": "/large"}, "direct_response": {"status": 200, "body": {"inline_string": "x" * 4000}}},
                   {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
        self.proxy = self.start_proxy(config.bootstrap([], routes=answers), concurrency=1)
        self.assert_serves()

    def attacker(self, settings=b""):
        attacker = Attacker(self.proxy.port, settings)
        self.addCleanup(attacker.socket.close)
        return attacker

    def assert_serves(self):
        self.assertEqual(request(self.proxy.port).body, b"ok")

    def assert_cut_off(self, attacker):
        """Its connection ends, which is not merely left alone, and another one is served."""
        attacker.frames()
        self.assert_serves()

    def test_a_head_that_never_ends(self):
        """CVE-2024-27983 and its kin: CONTINUATION after CONTINUATION."""
        attacker = self.attacker()
        attacker.send(frame(HEADERS, GET, 1))
        for _ in range(20_000):
            if not attacker.send(frame(CONTINUATION, b"", 1)):
                break
        self.assert_cut_off(attacker)

    def test_a_head_that_grows(self):
        """A field of 8 KiB in each CONTINUATION, which no limit of a single frame stops."""
        attacker = self.attacker()
        attacker.send(frame(HEADERS, GET, 1))
        field = b"\x00\x01x\x7f" + bytes([0x80 | ((8192 - 127) & 0x7f), (8192 - 127) >> 7]) + b"v" * 8192
        before = self.proxy.memory_kib()
        for _ in range(2000):
            if not attacker.send(frame(CONTINUATION, field, 1)):
                break
        attacker.send(frame(CONTINUATION, b"", 1, END_HEADERS))
        attacker.done()
        self.assert_cut_off(attacker)
        self.assertLess(self.proxy.memory_kib() - before, 8 << 10)

    def test_settings_whose_answers_nobody_reads(self):
        """Each demands an ACK: CVE-2019-9515."""
        attacker = self.attacker()
        before = self.proxy.memory_kib()
        for _ in range(200):
            if not attacker.send(frame(SETTINGS) * 1000):
                break
        self.assert_serves()
        self.assertLess(self.proxy.memory_kib() - before, 16 << 10)

    def test_pings_whose_answers_nobody_reads(self):
        """CVE-2019-9512."""
        attacker = self.attacker()
        before = self.proxy.memory_kib()
        for _ in range(200):
            if not attacker.send(frame(PING, bytes(8)) * 1000):
                break
        self.assert_serves()
        self.assertLess(self.proxy.memory_kib() - before, 16 << 10)

    def test_a_window_that_overflows(self):
        attacker = self.attacker()
        attacker.send(frame(WINDOW_UPDATE, struct.pack(">I", 0x7fffffff)))
        found = attacker.frames()
        goaways = [int.from_bytes(payload[4:8], "big") for kind, _, payload in found if kind == GOAWAY]
        self.assertEqual(goaways[-1:], self.either([3], [], "Inlay says FLOW_CONTROL_ERROR (RFC 9113 6.9.1), Envoy 1.40 closes without a word"))
        self.assert_serves()

    def test_data_on_a_stream_that_is_not_open(self):
        attacker = self.attacker()
        attacker.send(frame(DATA, b"x", 1, END_STREAM))
        self.assert_cut_off(attacker)

    def test_more_streams_than_may_be(self):
        """All at once, with a window that lets no byte of an answer out; each beyond the limit is refused or ends the connection."""
        attacker = self.attacker(struct.pack(">HI", 4, 0))
        head = bytes.fromhex("8286") + b"\x04\x06/large" + b"\x41\x01a"
        before = self.proxy.memory_kib()
        for number in range(4000):
            if not attacker.send(frame(HEADERS, head, 2 * number + 1, END_HEADERS | END_STREAM)):
                break
        self.assert_serves()
        self.assertLess(self.proxy.memory_kib() - before, (192 if SANITIZED else 48) << 10)
        attacker.socket.close()
        wait_until(lambda: self.proxy.stats().get("http.ingress.downstream_rq_active", 0) == 0, "the end of its streams")
        self.assert_serves()

    def test_a_head_of_many_small_fields(self):
        """HPACK lets a byte stand for a field of the table: CVE-2019-9518's cousins, "bombs"."""
        attacker = self.attacker()
        field = b"\x40\x01x" + b"\x7f" + bytes([0x80 | ((3000 - 127) & 0x7f), (3000 - 127) >> 7]) + b"v" * 3000
        before = self.proxy.memory_kib()
        # Put into the table once, and named 12,000 times: 36 MB of fields in 12 KB.
        attacker.send(frame(HEADERS, GET + field + b"\xbe" * 12_000, 1, END_HEADERS | END_STREAM))
        attacker.done()
        self.assert_cut_off(attacker)
        self.assertLess(self.proxy.memory_kib() - before, 8 << 10)
        self.assertEqual(self.proxy.stats().get("http.ingress.downstream_rq_2xx", 0), self.proxy.stats()["http.ingress.downstream_rq_http1_total"])
