# SPDX-License-Identifier: Apache-2.0
"""TCP: relaying through the real program, and Wasm network filters on the way."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import threading
import unittest
import urllib.request

from support import config, tcp
from support.both import in_envoy_too, inlay_only
from support.config import cluster
from support.origins import Echo
from support.processes import BUILD, INLAY, PATIENCE, ROOT, TestCase, filter_module, free_port, listening, wait_until
from support.wire import Wire


def echo(connection):
    while chunk := connection.recv(1 << 16):
        connection.sendall(chunk)


def digest_at_the_end(connection):
    """Answers with a hash when the client has sent all."""
    connection.sendall(hashlib.sha256(tcp.read_all(connection)).hexdigest().encode())


@in_envoy_too
class Relay(TestCase):
    def serve(self, serve=echo, filters=(), proxy=None, flags=(), concurrency=2, **cluster_fields):
        server = tcp.ByteServer(serve)
        self.addCleanup(server.close)
        made = tcp.bootstrap([cluster("origin", server.port, **cluster_fields)], filters, proxy)
        return self.start_proxy(made, flags=flags, concurrency=concurrency)

    def test_bytes_both_ways(self):
        proxy = self.serve()
        with tcp.connect(proxy.port) as client:
            client.sendall(b"question")
            self.assertEqual(tcp.read_exactly(client, 8), b"question")
            stats = proxy.stats()
            self.assertEqual(stats["tcp.ingress_tcp.downstream_cx_total"], 1)
            self.assertEqual(stats["cluster.origin.upstream_cx_active"], 1)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(tcp.read_all(client), b"")
        wait_until(lambda: proxy.stats()["cluster.origin.upstream_cx_active"] == 0, "no connection is left")
        stats = proxy.stats()
        self.assertEqual(stats["tcp.ingress_tcp.downstream_cx_rx_bytes_total"], 8)
        self.assertEqual(stats["tcp.ingress_tcp.downstream_cx_tx_bytes_total"], 8)

    def test_a_half_closed_client_gets_its_answer(self):
        proxy = self.serve(digest_at_the_end)
        data = os.urandom(3 << 20)
        with tcp.connect(proxy.port) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(tcp.read_all(client).decode(), hashlib.sha256(data).hexdigest())

    def test_a_reset_is_passed_on(self):
        for from_client in (True, False):
            with self.subTest(from_client=from_client):
                seen = []

                def serve(connection, from_client=from_client, seen=seen):
                    seen.append(tcp.read_exactly(connection, 1))
                    if from_client:
                        connection.sendall(b"x")
                        seen.append(tcp.how_it_ends(connection))
                    else:
                        tcp.reset(connection)

                proxy = self.serve(serve)
                with tcp.connect(proxy.port) as client:
                    client.sendall(b"x")
                    if from_client:
                        self.assertEqual(tcp.read_exactly(client, 1), b"x")
                        tcp.reset(client)
                    else:
                        self.assertEqual(tcp.how_it_ends(client), self.since("1.39", new="reset", old="end", why="it ended such a connection"))
                wait_until(lambda seen=seen, want=1 + from_client: len(seen) == want, "the server has seen it all")
                if from_client:
                    self.assertEqual(seen[1:], [self.since("1.40", new="reset", old="end", why="it ended such a connection")])

    def test_memory_is_bounded_whoever_is_slow(self):
        """64 MiB each way on 4 connections, echoed, and the client reads only when it has written half of it."""
        proxy = self.serve(concurrency=1)
        half = os.urandom(1 << 20) * 8
        before = proxy.memory_peak_kib()

        def run():
            with tcp.connect(proxy.port) as client:
                got = hashlib.sha256()
                count = 0

                def read():
                    nonlocal count
                    while count < 8 * len(half):
                        chunk = client.recv(1 << 16)
                        got.update(chunk)
                        count += len(chunk)
                reader = threading.Thread(target=read)
                writer = threading.Thread(target=lambda: [client.sendall(half) for _ in range(8)])
                writer.start()
                writer.join(0.3)  # the proxy and the server are full by then, or slow; either way it goes on
                reader.start()
                writer.join()
                reader.join()
                results.append((count, got.hexdigest()))

        results = []
        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [(8 * len(half), hashlib.sha256(half * 8).hexdigest())] * 4)
        # 4 connections x 2 directions x some MiB of buffers at the most.
        self.assertLess(proxy.memory_peak_kib() - before, 48 * 1024)

    def test_a_server_that_refuses(self):
        made = tcp.bootstrap([cluster("origin", free_port())])
        proxy = self.start_proxy(made)
        with tcp.connect(proxy.port) as client:
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(proxy.stats()["cluster.origin.upstream_cx_connect_fail"], 1)

    def test_an_idle_connection_is_closed(self):
        proxy = self.serve(proxy=tcp.tcp_proxy(idle_timeout="0.2s"))
        with tcp.connect(proxy.port) as client:
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(proxy.stats()["tcp.ingress_tcp.idle_timeout"], 1)

    def test_the_access_log(self):
        path = os.path.join(self.directory, "access.log")
        log = {"name": "log", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": path,
            "log_format": {"text_format_source": {"inline_string":
                "%BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_FLAGS% %PROTOCOL% %UPSTREAM_CLUSTER% %REQ(:PATH)%\n"}}}}
        proxy = self.serve(proxy=tcp.tcp_proxy(access_log=[log]), flags=("--file-flush-interval-msec", "20"))
        with tcp.connect(proxy.port) as client:
            client.sendall(b"12345")
            tcp.read_exactly(client, 5)
        def lines():
            with open(path) as file:
                return file.read().splitlines()
        wait_until(lines, "an entry")
        self.assertEqual(lines(), ["5 5 - - origin -"])

    def begin_drain(self, proxy, client):
        """Ends the proxy while the client's connection is in use."""
        client.sendall(b"x")
        tcp.read_exactly(client, 1)
        proxy.terminate()
        wait_until(lambda: "draining" in proxy.log(), "the drain")

    @inlay_only("its drain")
    def test_a_drain_waits_for_connections(self):
        proxy = self.serve(concurrency=1)
        with tcp.connect(proxy.port) as client:
            self.begin_drain(proxy, client)
            client.sendall(b"y")
            self.assertEqual(tcp.read_exactly(client, 1), b"y")
            self.assertTrue(proxy.running())
        self.assertEqual(proxy.wait(), 0)

    @inlay_only("its drain")
    def test_a_second_signal_does_not_wait(self):
        proxy = self.serve(concurrency=1)
        with tcp.connect(proxy.port) as client:
            self.begin_drain(proxy, client)
            proxy.terminate()
            self.assertEqual(proxy.wait(), 128 + signal.SIGTERM)


@in_envoy_too
class Guests(TestCase):
    def test_a_module_for_http_lets_connections_pass(self):
        server = tcp.ByteServer(echo)
        self.addCleanup(server.close)
        configuration = {"header_providing_service_cluster": "origin", "header_providing_service_authority": "a"}
        made = tcp.bootstrap([cluster("origin", server.port)], [tcp.wasm_filter(filter_module(), configuration)])
        proxy = self.start_proxy(made)
        with tcp.connect(proxy.port) as client:
            client.sendall(b"x")
            self.assertEqual(tcp.read_exactly(client, 1), b"x")

    def test_the_redis_guard_runs_with_its_own_file(self):
        """examples/redis_guard/envoy.yaml, with other ports, before a server that answers as Redis does."""
        commands = []

        def redis(connection):
            lines = connection.makefile("rb")
            while head := lines.readline():
                arguments = []
                for _ in range(int(head[1:])):
                    lines.readline()
                    arguments.append(lines.readline().strip())
                commands.append(arguments)
                known = arguments[0] in (b"SET", b"FLUSHALL")
                connection.sendall(b"+OK\r\n" if known else b"-ERR unknown command '%s'\r\n" % arguments[0])

        server = tcp.ByteServer(redis)
        self.addCleanup(server.close)
        port, admin = free_port(), free_port()
        with open(os.path.join(ROOT, "examples", "redis_guard", "envoy.yaml")) as file:
            text = file.read()
        for old, new in (("6380", port), ("6379", server.port), ("9901", admin),
                         ("build/redis_guard.wasm", os.path.join(BUILD, "wasm", "redis_guard.wasm"))):
            self.assertIn(old, text)
            text = text.replace(old, str(new))
        path = os.path.join(self.directory, "envoy.yaml")
        with open(path, "w") as file:
            file.write(text)
        proxy = self.launch_proxy(path)
        proxy.wait_for(lambda: listening(port), "its port")
        sent = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*1\r\n$8\r\nFLUSHALL\r\n*1\r\n$4\r\nPING\r\n"
        answers = b"+OK\r\n-ERR unknown command 'REFUSED'\r\n-ERR unknown command 'PING'\r\n"
        with tcp.connect(port) as client:
            client.sendall(sent[:-4])
            client.sendall(sent[-4:])
            self.assertEqual(tcp.read_exactly(client, len(answers)), answers)
        self.assertEqual(commands, [[b"SET", b"k", b"v"], [b"REFUSED"], [b"PING"]])
        end = f"wasm log redis_guard: a connection ends: {len(sent)} bytes up, {len(answers)} bytes down"
        proxy.wait_for(lambda: end in proxy.log(), "its end")
        self.assertIn("wasm log redis_guard: refused FLUSHALL", proxy.log())
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/stats", timeout=PATIENCE) as stats:
            self.assertIn(b"wasmcustom.redis_guard_refused: 1\n", stats.read())

    def serve_http(self, network_filter):
        """An echo behind a connection manager with a network filter before it."""
        echo_server = self.start(Echo(self.directory))
        made = config.bootstrap([cluster("origin", echo_server.port)])
        made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"].insert(0, network_filter)
        return self.start_proxy(made)

    def test_a_network_filter_before_http_lets_requests_pass(self):
        configuration = {"header_providing_service_cluster": "origin", "header_providing_service_authority": "a"}
        proxy = self.serve_http(tcp.wasm_filter(filter_module(), configuration))
        with Wire(proxy.port) as wire:
            for number in range(3):
                wire.send(f"GET /{number} HTTP/1.1\r\nhost: a\r\n\r\n")
                self.assertIn(f"GET /{number} HTTP/1.1".encode(), wire.response().body)
        self.assertEqual(proxy.stats()["http.ingress.downstream_cx_total"], 1)

    def test_a_network_filter_before_http_closes_connections(self):
        guard = os.path.join(BUILD, "wasm", "redis_guard.wasm")
        proxy = self.serve_http(tcp.wasm_filter(guard, "FLUSHALL"))
        with tcp.connect(proxy.port) as client:
            client.sendall(b"*what\r\n")
            self.assertEqual(tcp.read_all(client), b"")
        proxy.wait_for(lambda: "closing a connection that does not speak Redis" in proxy.log(), "why")
        self.assertEqual(proxy.stats()["http.ingress.downstream_rq_total"], 0)

    @inlay_only("`inlay validate`")
    def test_validate_runs_the_canary(self):
        path = os.path.join(self.directory, "envoy.json")
        made = tcp.bootstrap([cluster("origin", free_port())], [tcp.wasm_filter(filter_module(), "{not json")])
        with open(path, "w") as file:
            json.dump(made, file)
        done = subprocess.run([INLAY, "validate", "-c", path], capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("unable to create Wasm plugin guest", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
