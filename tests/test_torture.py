# SPDX-License-Identifier: Apache-2.0
"""Clients and origins that do everything wrong, at once: nothing crashes, hangs or leaks.

Every connection follows a script that a seeded generator has made, so that a failure can be had again: the seed is in the
message. INLAY_TORTURE_SEED and INLAY_TORTURE_SECONDS run it elsewhere and longer.
"""

import os
import random
import socket
import threading
import time
import unittest

from support import config, tcp
from support.both import in_envoy_too
from support.origins import Echo, Provider
from support.processes import PATIENCE, TestCase, wait_until
from support.wire import request

SEED = int(os.environ.get("INLAY_TORTURE_SEED", "1"))
SECONDS = float(os.environ.get("INLAY_TORTURE_SECONDS", "2"))
CLIENTS = 8
# Nobody waits longer than this for a peer; a client that was not answered goes on to its next connection.
SHORT = 0.2

BODY = b"b" * 3000
GOOD = [
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"HEAD /head HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n" + BODY,
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nbb8\r\n" + BODY + b"\r\n0\r\nt: 1\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3000\r\n\r\n" + BODY,
    b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
]
BAD = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 500 + b"\r\n",
    b"GET /" + b"p" * 100_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nto the end",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + b"x" * 300_000,
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more than was said",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    b"HTTP/1.1 999999\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
    b"not HTTP at all\r\n\r\n",
]


def send_in_pieces(connection, data, chance):
    """Cut anywhere, never more than a few times."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 1, 3))))
    for start, end in zip([0, *cuts], [*cuts, len(data)]):
        connection.sendall(data[start:end])


def take(connection, limit):
    """Reads until nothing comes, the peer ends, or there is enough."""
    taken = 0
    while taken < limit:
        data = connection.recv(min(1 << 16, limit - taken))
        if not data:
            return
        taken += len(data)


class RudeOrigin(tcp.Acceptor):
    """Answers in every way that an origin should not, and in some that it may."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        super().__init__(0, self.talk)

    def talk(self, connection):
        chance = random.Random(self.chance.random())
        connection.settimeout(SHORT * 5)
        try:
            if chance.random() < 0.05:
                return tcp.reset(connection)
            while connection.recv(chance.choice((1, 100, 1 << 16))):
                how = chance.random()
                if how < 0.05:
                    return tcp.reset(connection)
                if how < 0.1:
                    break
                answer = chance.choice(ANSWERS if how < 0.4 else ANSWERS[:2])
                if chance.random() < 0.1:
                    connection.sendall(answer[:chance.randrange(len(answer))])
                    return tcp.reset(connection) if chance.random() < 0.5 else connection.close()
                send_in_pieces(connection, answer, chance)
        except OSError:
            pass
        connection.close()


def one_client(port, chance):
    connection = socket.socket()
    if chance.random() < 0.2:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)  # a slow reader
    connection.settimeout(SHORT)
    try:
        connection.connect(("127.0.0.1", port))
        requests = b"".join(chance.choice(BAD if chance.random() < 0.1 else GOOD)
                            for _ in range(chance.choice((1, 1, 2, 5, 100))))
        how = chance.random()
        if how < 0.2:
            requests = requests[:chance.randrange(len(requests))]  # it breaks off
        send_in_pieces(connection, requests, chance)
        if chance.random() < 0.2:
            connection.shutdown(socket.SHUT_WR)
        take(connection, chance.choice((0, 1, 1000, 1 << 20)))
        if chance.random() < 0.3:
            return tcp.reset(connection)
    except OSError:
        pass
    connection.close()


@in_envoy_too
class Torture(TestCase):
    def torture(self, filters):
        rude = RudeOrigin(SEED)
        self.addCleanup(rude.close)
        good = self.start(Echo(self.directory))
        provider = self.start(Provider(self.directory))
        clusters = [config.cluster("rude", rude.port), config.cluster("good", good.port),
                    config.cluster("provider", provider.port)]
        # What is idle ends soon, so that the end of it all can be waited for; but who behaves is given time.
        routes = [config.route("good", {"prefix": "/good"}, idle_timeout=f"{PATIENCE}s", timeout=f"{PATIENCE}s"),
                  config.route("rude", timeout="0.5s")]
        proxy = self.start_proxy(config.bootstrap(clusters, filters, routes, stream_idle_timeout="1s",
                                                  common_http_protocol_options={"idle_timeout": "1s"}), concurrency=2)

        def served():
            """A request that behaves is answered; a connection may be closed as idle before a busy machine sends on it."""
            try:
                return request(proxy.port, "/good").status
            except (OSError, EOFError):
                return None
        wait_until(lambda: served() == 200, f"seed {SEED}: the first answer")
        end = time.monotonic() + SECONDS

        def client(number):
            chance = random.Random(SEED * 1000 + number)
            begun = 0
            while time.monotonic() < end or begun < 20:
                begun += 1
                one_client(proxy.port, chance)

        threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.assertIn(wait_until(served, f"seed {SEED}: an answer"), (200, 408))  # others are served all the while
            threads[0].join(0.05)
        self.assertTrue(proxy.running(), f"seed {SEED}")

        # All that was begun is over, and was counted.
        def leftovers():
            stats = proxy.stats()
            left = {name: value for name, value in stats.items() if value and (
                name in ("http.ingress.downstream_rq_active", "http.ingress.downstream_cx_active")
                or name.startswith("cluster.rude.") and name.endswith(("_rq_active", "_pending_active", "_cx_active")))}
            return left, stats
        try:
            wait_until(lambda: not leftovers()[0], "all streams and connections to be over")
        except AssertionError:
            self.fail(f"seed {SEED}: still there: {leftovers()[0]}")
        stats = leftovers()[1]
        self.assertGreater(stats["http.ingress.downstream_rq_total"], 100)
        wait_until(lambda: served() == 200, f"seed {SEED}: a last answer")
        proxy.terminate()
        self.assertEqual(proxy.wait(), 0, f"seed {SEED}")
        self.assertNotIn("Sanitizer", proxy.log())

    def test_without_a_filter(self):
        self.torture([])

    def test_with_the_filter(self):
        self.torture([config.augmenter()])


if __name__ == "__main__":
    unittest.main()
