# SPDX-License-Identifier: Apache-2.0
"""JWT-SVIDs that the filter fetches from a SPIFFE Workload API over its socket, by HTTP/2."""

import os
import time
import unittest

from support import config, pipes
from support.both import in_envoy_too
from support.origins import PythonServer
from support.processes import PATIENCE, ROOT, TestCase, filter_module, free_port, wait_until
from support.wire import request
from support.workload_api import Agent

SOURCE = {"name": "svid", "cluster": "spire", "format": "jwt_svid", "jwt_svid": {"audience": "sts.example"},
          "refresh": {"retry": {"initial": "100ms", "max": "500ms"}}, "headers": {"authorization": "Bearer {text}"}}


class WorkloadApi(TestCase):
    def setUp(self):
        super().setUp()
        self.socket = os.path.join(self.directory, "agent.sock")
        self.tokens = []  # with when they came
        self.origin = PythonServer(self.serve)
        self.addCleanup(self.origin.close)

    def serve(self, handler):
        self.tokens.append((handler.headers.get("authorization", "").removeprefix("Bearer "), time.time()))
        return 200, {}, b""

    def start_all(self, cluster, **keys):
        augmenter = config.wasm(filter_module(), {"sources": [SOURCE], **keys}, name="header_augmenting", vm_id="svid")
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.origin.port), cluster], [augmenter]),
                                      concurrency=2, level="trace")

    def get(self):
        return request(self.proxy.port).status

    def stat(self, name):
        return sum(value for key, value in self.proxy.stats().items() if key.endswith("header_augmenting.svid." + name))


@in_envoy_too
class JwtSvids(WorkloadApi):
    def start_with_agent(self, agent, **keys):
        self.agent = agent
        self.start_all(pipes.cluster("spire", self.socket, **config.speaks_http2()), **keys)

    def assert_no_token_shows(self):
        text = self.proxy.log() + "".join(self.proxy.admin(page)[1] for page in ("/stats", "/stats/prometheus", "/clusters", "/config_dump"))
        for token in self.agent.given:
            for part in token.split(".")[1:]:
                self.assertNotIn(part, text)

    def test_requests_have_it(self):
        self.start_with_agent(Agent(self, self.socket).start())
        wait_until(lambda: all(self.get() == 200 for _ in range(8)), "a token on both workers")
        self.assertEqual(len(self.agent.asked), 1, "once for both")
        line, headers, body = self.agent.asked[0]
        self.assertEqual(line.split()[:2], ["POST", "/SpiffeWorkloadAPI/FetchJWTSVID"])
        for name, value in (("workload.spiffe.io", "true"), ("te", "trailers"), ("content-type", "application/grpc")):
            self.assertEqual(headers[name], [value], name)
        self.assertEqual(body, b"\0\0\0\0\x0d\x0a\x0bsts.example")
        self.assertEqual({token for token, _ in self.tokens}, set(self.agent.given))
        self.assert_no_token_shows()

    def test_it_is_renewed_ahead_of_its_end(self):
        self.start_with_agent(Agent(self, self.socket, life=6).start(), when_missing={"action": "hold", "hold_for": f"{PATIENCE}s"})
        statuses = []

        def fourth():
            statuses.append(self.get())
            return len({token for token, _ in self.tokens}) >= 4
        wait_until(fourth, "the fourth token")
        self.assertEqual(set(statuses), {200})
        for token, at in self.tokens:
            self.assertLess(at, self.agent.given[token] + 1, "past its end")
        self.assert_no_token_shows()

    def test_a_refusal_is_told_in_words(self):
        agent = Agent(self, self.socket)
        agent.refusal = (7, "no identity issued")
        self.start_with_agent(agent.start())
        wait_until(lambda: self.stat("fetch_failed.status") >= 1, "a refusal")
        self.assertIn("source svid: fetch failed: the answer's status is not 200 but gRPC's 7 (permission denied: no identity for this proxy)",
                      self.proxy.log())
        self.assertEqual(self.get(), 503)
        agent.refusal = None  # an entry has reached the agent
        wait_until(lambda: self.get() == 200, "a token")

    def test_an_agent_that_is_not_there_yet(self):
        self.start_with_agent(Agent(self, self.socket))
        wait_until(lambda: self.stat("fetch_failed.unreachable") >= 1, "a failed fetch")
        self.assertIn("source svid: fetch failed: the proxy got no answer from the service: gRPC's 14 (unavailable: nobody at the socket)",
                      self.proxy.log())
        self.assertEqual(self.get(), 503)
        self.agent.start()
        wait_until(lambda: self.get() == 200, "a token")

    def test_the_example(self):
        agent = Agent(self, self.socket).start()
        port = free_port()
        with open(os.path.join(ROOT, "examples", "spiffe", "envoy.yaml")) as file:
            text = file.read()
        for theirs, ours in (("port_value: 8080", f"port_value: {port}"), ("port_value: 8081", f"port_value: {self.origin.port}"),
                             ("build/header_augmenting.wasm", filter_module()), ("/run/spire/sockets/agent.sock", self.socket)):
            self.assertEqual(text.count(theirs), 1)
            text = text.replace(theirs, ours)
        path = os.path.join(self.directory, "envoy.yaml")
        with open(path, "w") as file:
            file.write(text)
        proxy = self.launch_proxy(path)

        def answered():
            try:
                return request(port).status == 200
            except OSError:
                return False
        proxy.wait_for(answered, "an answer")
        self.assertEqual(self.tokens[-1][0], list(agent.given)[-1])
        self.assertIn(b"https://payments.example.com", agent.asked[0][2])


@in_envoy_too
class WithoutHttp2(WorkloadApi):
    def test_http1_is_told(self):
        server = PythonServer(lambda _: (200, {"content-type": "application/grpc"}, b"\0\0\0\0\0"))
        self.addCleanup(server.close)
        self.start_all(config.cluster("spire", server.port))
        wait_until(lambda: self.stat("fetch_failed.status") >= 1, "a failed fetch")
        self.assertIn("not 200 but gRPC's none: does the cluster speak HTTP/2?", self.proxy.log())
        self.assertEqual(self.get(), 503)


if __name__ == "__main__":
    unittest.main()
