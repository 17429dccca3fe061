# SPDX-License-Identifier: Apache-2.0
"""Real clients, real origins: not one request lost, each with the right header."""

import re
import subprocess
import unittest

from support import config
from support.both import in_envoy_too
from support.origins import CHECKING_HAPROXY, CHECKING_NGINX, Haproxy, Nginx, Provider, PythonServer, all_workers_answer
from support.processes import SANITIZED, TestCase, wait_until

REQUESTS = 10_000 if SANITIZED else 100_000


def output_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, stdin=subprocess.DEVNULL)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{text[-3000:]}")
    return text


@in_envoy_too(only_make_envoy="100,000 requests, five times")
class Load(TestCase):
    def start_before(self, origin, expiry="500ms"):
        """The proxy with the filter before an origin that answers 200 to a good token only."""
        self.provider = self.start(Provider(self.directory))
        clusters = [config.cluster("origin", origin.port), config.cluster("provider", self.provider.port)]
        for one in clusters:
            one["circuit_breakers"] = {"thresholds": [{"max_connections": 4096, "max_pending_requests": 4096,
                                                       "max_requests": 4096}]}
        self.proxy = self.start_proxy(config.bootstrap(clusters, [config.augmenter(expiry=expiry)]), concurrency=2).wait_compiled()
        wait_until(lambda: all_workers_answer(self.proxy.port), "the first token")
        self.url = f"http://127.0.0.1:{self.proxy.port}/"

    def h2load(self, count=REQUESTS, *flags):
        text = output_of(["h2load", "--h1", "-n", str(count), "-c", "256", "-t", "1", *flags, self.url])
        self.assertRegex(text, rf"{count} total, {count} started, {count} done, {count} succeeded, 0 failed, 0 errored, 0 timeout")
        self.assertRegex(text, rf"status codes: {count} 2xx, 0 3xx, 0 4xx, 0 5xx")

    def test_h2load_before_nginx(self):
        self.start_before(self.start(Nginx(self.directory, CHECKING_NGINX)))
        before = self.proxy.stats()["http.ingress.downstream_rq_2xx"]
        self.h2load()
        self.assertEqual(self.proxy.stats()["http.ingress.downstream_rq_2xx"] - before, REQUESTS)

    def test_h2load_before_haproxy_with_a_forged_header(self):
        self.start_before(self.start(Haproxy(self.directory, CHECKING_HAPROXY)))
        self.h2load(REQUESTS, "-H", "authorization: Bearer forged")

    def test_h2load_before_python(self):
        good = re.compile(r"^Bearer \d+\.[0-9a-f]+$")
        server = PythonServer(lambda h: (200 if good.match(h.headers.get("authorization", "")) else 400, {}, b"ok\n"))
        self.addCleanup(server.close)
        self.start_before(server)
        self.h2load(5000)

    def test_wrk(self):
        self.start_before(self.start(Nginx(self.directory, CHECKING_NGINX)))
        text = output_of(["wrk", "-t", "1", "-c", "256", "-d", "3s", "--timeout", "60s", self.url])
        self.assertNotIn("Non-2xx", text)
        self.assertNotIn("Socket errors", text)
        self.assertGreater(int(re.search(r"(\d+) requests in", text)[1]), 256)

    def test_wrk_with_posts(self):
        self.start_before(self.start(Nginx(self.directory, CHECKING_NGINX)))
        script = self.directory + "/post.lua"
        with open(script, "w") as file:
            file.write('wrk.method = "POST"\nwrk.body = string.rep("x", 4000)\n')
        text = output_of(["wrk", "-t", "1", "-c", "64", "-d", "2s", "--timeout", "60s", "-s", script, self.url])
        self.assertNotIn("Non-2xx", text)
        self.assertNotIn("Socket errors", text)

    def test_curl(self):
        self.start_before(self.start(Nginx(self.directory, CHECKING_NGINX)))
        text = output_of(["curl", "-sS", "--parallel", "--parallel-max", "50", "-o", "/dev/null", "-w", "%{http_code}\n",
                          self.url + "[1-500]"])
        self.assertEqual(text.count("200\n"), 500, text[-500:])
        text = output_of(["curl", "-sS", "-X", "POST", "--data-binary", "@/bin/ls", "-H", "Expect: 100-continue", "-o",
                          "/dev/null", "-w", "%{http_code}", self.url])
        self.assertEqual(text, "200")


if __name__ == "__main__":
    unittest.main()
