# SPDX-License-Identifier: Apache-2.0
"""Many requests of all kinds at the same time: HTTP/1 to HTTP/2, HTTP/2 to HTTP/1 and HTTP/2 to HTTP/2, each with and without the
filter. h2load makes them, and HAProxy behind the proxy judges each by its path and its token. Beside them one in 1,000 requests is
made by hand, with a body and trailers that must come back as they were, and one in 1,000 is reset, by its client or by its origin."""

import collections
import re
import subprocess
import threading
import time
import zlib

from . import config
from .http2_client import Http2Client
from .http2_origin import Http2Origin
from .origins import Haproxy, Provider, all_workers_answer
from .processes import Proxy, wait_until

# Below /filtered a token is there, elsewhere none.
JUDGE = """
  http-request set-var(txn.token) req.hdr(authorization)
  http-request return status 400 if { path_beg /filtered } !{ var(txn.token) -m reg '^Bearer [0-9]+[.][0-9a-f]+$' }
  http-request return status 400 if !{ path_beg /filtered } { var(txn.token) -m found }
  http-request return status 200 content-type text/plain string "0123456789"
"""
# What h2load asks for: its own protocol, and the path.
LEGS = [(client, f"/{way}/{origin}") for way in ("plain", "filtered") for client, origin in (("h1", "http2"), ("h2", "http1"), ("h2", "http2"))]
RARE = 1000
CANCEL, INTERNAL_ERROR = 8, 2


def answer(asked):
    """What came, with its trailers; or a reset."""
    asked.connection.requests.pop(asked.stream)
    if asked.path.endswith("/refused"):
        return asked.refuse(INTERNAL_ERROR)
    return asked.answer(body=asked.body, trailers=[(name, value) for name, value in asked.trailers if name.startswith("x-")])


class MixedSoak:
    """Make one, run() it, end() it; then `counts` has what was asked for and how it ended, and `wrong` what must not have happened."""

    def __init__(self, directory, workers=2, kind=Proxy):
        self.counts, self.wrong, self.memory = collections.Counter(), [], []
        self.programs = [Haproxy(directory, JUDGE, "judge1"), Haproxy(directory, JUDGE, "judge2", "proto h2"), Provider(directory)]
        self.careful = Http2Origin(answer, early=lambda asked: asked.connection.origin.requests.clear())
        # As many streams as HAProxy takes: before its SETTINGS have come Envoy begins more, and they are refused.
        http2 = config.speaks_http2(max_concurrent_streams=100)
        clusters = [config.cluster("http1", self.programs[0].port), config.cluster("http2", self.programs[1].port, **http2),
                    config.cluster("careful", self.careful.port, **http2), config.cluster("provider", self.programs[2].port)]
        for one in clusters:
            one["circuit_breakers"] = {"thresholds": [{"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096}]}
        routes = [config.route(to, {"prefix": f"/{way}/{to}"}) for way in ("plain", "filtered") for to in ("http1", "http2", "careful")]
        bootstrap = config.bootstrap(clusters, routes=routes)
        filtered = config.listener([config.augmenter()], routes, name="filtered")
        bootstrap["static_resources"]["listeners"].append(filtered)
        self.proxy = kind(directory, bootstrap, concurrency=workers)
        self.programs.append(self.proxy)
        self.ports = {"plain": self.proxy.port, "filtered": filtered["address"]["socket_address"]["port_value"]}
        self.proxy.wait_ready().wait_compiled()
        wait_until(lambda: all_workers_answer(self.ports["filtered"], "/filtered/http1"), "the first token on every worker")

    def end(self):
        self.careful.close()
        for program in reversed(self.programs):
            program.end()

    def port(self, path):
        return self.ports[path.split("/")[1]]

    def run(self, count, rounds=10):
        """`count` requests, in rounds after each of which the proxy's memory is looked at."""
        begin = time.monotonic()
        for _ in range(rounds):
            each = max(1, count // rounds // len(LEGS))
            all_at_once = [lambda client=client, path=path: self.load(client, path, each) for client, path in LEGS]
            all_at_once += [lambda way=way: self.by_hand(way, max(2, each * len(LEGS) // RARE // len(self.ports))) for way in self.ports]
            threads = [threading.Thread(target=self.noting_failure, args=(one,)) for one in all_at_once]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.memory.append(self.proxy.memory_kib())
        self.seconds = time.monotonic() - begin

    def noting_failure(self, act):
        try:
            act()
        except Exception as error:  # noqa: BLE001: a thread's, which the result tells
            self.wrong.append(repr(error))

    def grown(self):
        """Whether the memory has grown since the second round, by more than a tenth and 1 MiB."""
        first, last = self.memory[min(1, len(self.memory) - 1)], self.memory[-1]
        return last > 1.1 * first + 1024

    def load(self, client, path, count):
        command = ["h2load", "-n", str(count), "-c", str(min(16, count)), "-t", "1", "-m", "10" if client == "h2" else "1"]
        done = subprocess.run([*command, *(["--h1"] if client == "h1" else []), f"http://127.0.0.1:{self.port(path)}{path}"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=True)
        output = done.stdout.decode(errors="replace")
        good = int(re.search(r"(\d+) 2xx", output)[1])
        bytes_of_bodies = int(re.search(r"traffic: .*\((\d+)\) data", output)[1])
        self.counts[f"{client} {path}"] += good
        if good != count or bytes_of_bodies != 10 * count:
            self.wrong.append(f"{client} {path}: of {count} {good} were good, with {bytes_of_bodies} bytes\n{output}")

    def by_hand(self, way, count):
        """So many with trailers, and as many that are reset, by turns by the client and by the origin."""
        path = f"/{way}/careful"
        with Http2Client(self.ports[way]) as client:
            for number in range(count):
                self.whole(client, path, b"%d " % number * (1 + number % 5000))
                self.reset(client, path, by_client=number % 2 == 0)

    def whole(self, client, path, body):
        stream = client.begin(path, "POST", end=False)
        client.send(stream, body)
        client.trailers(stream, [("x-sum", str(zlib.crc32(body)))])
        got = client.answers.pop(stream) if client.answer(stream) else None
        self.counts["with trailers"] += 1
        if (got.status, got.body, got.trailers) != (200, body, [("x-sum", str(zlib.crc32(body)))]):
            self.wrong.append(f"{path}: {got.status}, {len(got.body)} bytes of {len(body)}, {got.trailers}, reset {got.reset}")

    def reset(self, client, path, by_client):
        stream = client.begin(path if by_client else path + "/refused", "POST", end=False)
        client.send(stream, b"x" * 1000, end=not by_client)
        if by_client:
            client.cancel(stream, CANCEL)
            self.counts["reset by clients"] += 1
        else:
            got = client.answer(stream)
            self.counts["reset by origins"] += 1
            if got.status != 503:
                self.wrong.append(f"{path}: {got.status} where the origin has reset the stream")
        client.answers.pop(stream)
