# SPDX-License-Identifier: Apache-2.0
"""Clients that send requests faster than they are answered: what waits, waits in their own sockets. Bounded by counts, not by
time; scripts/flood does the same for a minute each and prints figures."""

import unittest

from support import config, flood
from support.both import inlay_only
from support.origins import PythonServer
from support.processes import SANITIZED, TestCase, wait_until

MOST_KIB = 1024  # more of resident memory, for each client


@inlay_only("how much memory Inlay takes")
class Flood(TestCase):
    def setUp(self):
        super().setUp()
        self.target = flood.Target(self.directory, self.start)

    def grown(self, clients, done):
        """By how many KiB the proxy has grown when done() is true; `clients` have all of their answers to come."""
        try:
            before = self.target.proxy.memory_kib()
            most = before

            def check():
                nonlocal most
                most = max(most, self.target.proxy.memory_kib())
                return done()
            flood.run(clients, check)
            self.assertFalse(any(client.ended for client in clients))
            self.assertTrue(self.target.proxy.running())
            return most - before
        finally:
            for client in clients:
                client.close()

    def warm_up(self, tls):
        for request in flood.REQUESTS.values():
            for reads in (True, False):
                client = self.target.client(request, reads, tls)
                answered = self.target.answered() + 20
                flood.run([client], lambda: self.target.answered() >= answered)
                client.close()

    def check(self, tls, count, answers):
        self.warm_up(tls)
        for name, request in flood.REQUESTS.items():
            with self.subTest(f"{name}, answers are read"):
                goal = self.target.answered() + answers
                clients = [self.target.client(request, True, tls) for _ in range(count)]
                grown = self.grown(clients, lambda: self.target.answered() >= goal)
                if not SANITIZED:
                    self.assertLess(grown, MOST_KIB * count)
            with self.subTest(f"{name}, answers are not read"):
                clients = [self.target.client(request, False, tls) for _ in range(count)]
                last = []

                def stuck():
                    # Nothing is taken and nothing is answered any more. Where that only seems so, less waits than might.
                    last.append((self.target.answered(), sum(client.taken for client in clients)))
                    return len(last) > 10 and len(set(last[-10:])) == 1
                grown = self.grown(clients, stuck)
                if not SANITIZED:
                    self.assertLess(grown, MOST_KIB * count)

    def test_one_client(self):
        self.check(False, 1, 2000)

    def test_one_client_over_tls(self):
        self.check(True, 1, 2000)

    def test_four_clients(self):
        # Most of the time goes into filling the kernel's buffers, which hold some MiB of answers for each.
        self.check(False, 4, 2000)


@inlay_only("how much memory Inlay takes")
class Given(TestCase):
    def test_memory_is_given_back(self):
        body = b"x" * (4 << 20)
        origin = PythonServer(lambda _: (200, {}, body))
        self.addCleanup(origin.close)
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port)]))
        clients = [flood.Client(proxy.port, flood.SMALL, reads=False) for _ in range(40)]
        before = proxy.memory_kib()
        for client in clients:
            client.socket.send(flood.SMALL)
        if not SANITIZED:
            wait_until(lambda: proxy.memory_kib() > before + 30 * 1024, "answers that nobody reads to fill their buffers")
        for client in clients:
            client.close()
        if not SANITIZED:
            wait_until(lambda: proxy.memory_kib() < before + 8 * 1024, "the memory to be given back")


if __name__ == "__main__":
    unittest.main()
