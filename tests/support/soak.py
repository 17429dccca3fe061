# SPDX-License-Identifier: Apache-2.0
"""Many requests through many workers with tokens that live for a second. HAProxy stands behind the proxy and judges each request by
the end of life that is written in its token: 200 if that is still to come, 401 if not. So h2load's own counts are the proof."""

import dataclasses
import json
import re
import subprocess
import threading
import time

from . import config
from .origins import Haproxy, PythonServer, all_workers_answer
from .processes import Proxy, filter_module, wait_until

# Bearer tok-N.END, END in milliseconds since 1970; HAProxy has whole milliseconds, too.
JUDGE = """
  http-request set-var(txn.now) date(0,ms)
  http-request set-var(txn.left) req.hdr(authorization),field(2,.),sub(txn.now)
  http-request return status 401 unless { req.hdr(authorization) -m reg '^Bearer tok-[0-9]+[.][0-9]+$' } { var(txn.left) -m int ge 0 }
  http-request return status 200 content-type text/plain string "ok"
"""


class Provider(PythonServer):
    """An OAuth2 token endpoint whose tokens live for `lifetime` seconds, by what it says; the token itself is taken for
    `grace` seconds more."""

    def __init__(self, lifetime, grace):
        self.lifetime, self.grace = lifetime, grace
        self.lock = threading.Lock()
        self.tokens = 0
        super().__init__(self.answer)

    def answer(self, _):
        with self.lock:
            self.tokens += 1
            number = self.tokens
        end = int((time.time() + self.lifetime + self.grace) * 1000)
        body = json.dumps({"access_token": f"tok-{number}.{end}", "token_type": "Bearer", "expires_in": self.lifetime})
        return 200, {"content-type": "application/json"}, body.encode()


@dataclasses.dataclass
class Result:
    requests: int        # that were answered
    statuses: dict       # by class: {"2xx": N, ...}
    lost: int            # were never answered
    seconds: float
    fetches: int         # by the provider's count
    counted: int         # by the filter's: fetch_ok and fetch_failed
    peak_kib: int
    output: str

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def fetches_a_minute(self):
        return self.fetches / self.seconds * 60


class Soak:
    """Make one, run() it, end() it. `keys` are more keys of the filter's configuration."""

    def __init__(self, directory, workers=8, lifetime=1, grace=0, kind=Proxy, **keys):
        self.provider = Provider(lifetime, grace)
        self.origin = Haproxy(directory, JUDGE)
        source = {"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
                  "oauth2": {"client_id": "soak", "client_secret": "secret"}}
        augmenter = config.wasm(filter_module(), {"sources": [source], **keys}, name="header_augmenting", vm_id="soak")
        clusters = [config.cluster("origin", self.origin.port), config.cluster("idp", self.provider.port)]
        for one in clusters:
            one["circuit_breakers"] = {"thresholds": [{"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096}]}
        self.proxy = kind(directory, config.bootstrap(clusters, [augmenter]), concurrency=workers)
        self.proxy.wait_ready().wait_compiled()
        wait_until(lambda: all_workers_answer(self.proxy.port), "the first token on every worker")

    def end(self):
        for program in (self.proxy, self.origin):
            program.end()
        self.provider.close()

    def counted(self):
        return sum(value for name, value in self.proxy.stats().items() if "header_augmenting.idp.fetch_" in name)

    def run(self, rate, seconds, connections=64):
        """`rate` requests a second for `seconds`, from a client that sends a forged token of its own."""
        each = -(-rate // connections)
        count = each * connections * seconds
        before, counted = self.provider.tokens, self.counted()
        begin = time.monotonic()
        done = subprocess.run(["h2load", "--h1", "-n", str(count), "-c", str(connections), "-t", "1", "--rps", str(each),
                               "-H", "authorization: Bearer forged", f"http://127.0.0.1:{self.proxy.port}/"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=seconds * 4 + 60, check=True)
        elapsed = time.monotonic() - begin
        output = done.stdout.decode(errors="replace")
        codes = re.search(r"status codes: (.*)", output)[1]
        statuses = {kind: int(number) for number, kind in re.findall(r"(\d+) (\dxx)", codes)}
        answered = sum(statuses.values())
        return Result(answered, statuses, count - answered, elapsed, self.provider.tokens - before, self.counted() - counted,
                      self.proxy.memory_peak_kib(), output)
