# SPDX-License-Identifier: Apache-2.0
"""Tokens that are fetched with a file: a service-account token, which the cluster replaces from time to time, authenticates the
client at an authorization server, and no secret stands anywhere."""

import base64
import json
import os
import re
import subprocess
import threading
import time
import unittest
import urllib.parse

from support import config, pipes
from support.both import in_envoy_too, only_make_envoy
from support.mount import Mount
from support.origins import Haproxy, PythonServer
from support.soak import JUDGE
from support.processes import TestCase, filter_module, wait_until
from support.wire import request

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RETRY = {"initial": "100ms", "max": "500ms"}


def jwt(number, lifetime=600):
    """A token as a cluster writes it, but for its signature."""
    claims = {"sub": "system:serviceaccount:shop:orders", "jti": f"s3cr3t-{number}", "exp": int(time.time()) + lifetime}
    parts = ({"alg": "RS256", "kid": "k"}, claims, {"signature": f"s3cr3t-{number}"})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


class AuthorizationServer(PythonServer):
    """A token endpoint that knows its client by a JWT alone, and says in each token how many it has given."""

    def __init__(self, lifetime):
        self.lifetime = lifetime
        self.accepted = set()
        self.asked = []  # the assertion of each request
        self.wrong = []  # what else was not as it should be
        super().__init__(self.answer)

    def answer(self, handler):
        form = urllib.parse.parse_qs(handler.body.decode(), keep_blank_values=True)
        assertion = form.pop("client_assertion", [""])[0]
        expected = {"grant_type": ["client_credentials"], "client_id": ["orders"], "client_assertion_type": [TYPE]}
        if form != expected or "authorization" in handler.headers or handler.headers["host"] != "login.example.com":
            self.wrong.append((form, dict(handler.headers)))
        self.asked.append(assertion)
        if assertion not in self.accepted:
            return 401, {}, json.dumps({"error": "invalid_client", "error_description": f"not {assertion}"}).encode()
        token = {"access_token": self.token(assertion), "expires_in": self.lifetime}
        return 200, {"content-type": "application/json"}, json.dumps(token).encode()

    def token(self, assertion):
        return f"tok-{self.asked.count(assertion)}-of-{assertion[-8:]}"


class Identity(TestCase):
    """What both kinds of file have in common. `every` is how often the file is looked at where it does not say its end."""

    origin_port = None  # of another origin than the one that start_all() has

    def start_all(self, files, listeners=(), lifetime=3600, accepted=(), every="1h", **keys):
        self.idp = AuthorizationServer(lifetime)
        self.addCleanup(self.idp.close)
        self.idp.accepted = set(accepted)
        self.tokens = []
        self.origin = PythonServer(self.serve)
        self.addCleanup(self.origin.close)
        sources = [{"name": "idp", "cluster": "idp", "authority": "login.example.com", "path": "/token", "format": "oauth2",
                    "refresh": {"retry": RETRY},
                    "oauth2": {"client_id": "orders", "auth_method": "client_assertion", "client_assertion": "${source:sa}"}},
                   {"name": "sa", "cluster": "files", "path": "/sa", "format": "text", "refresh": {"every": every, "retry": RETRY}}]
        augmenter = config.wasm(filter_module(), {"sources": sources, **keys}, name="header_augmenting", vm_id="identity")
        bootstrap = config.bootstrap([config.cluster("origin", self.origin_port or self.origin.port), config.cluster("idp", self.idp.port), files], [augmenter])
        bootstrap["static_resources"]["listeners"] += listeners
        self.proxy = self.start_proxy(bootstrap, concurrency=2, level="trace")

    def serve(self, handler):
        self.tokens.append(handler.headers.get("authorization", ""))
        return 200, {}, self.tokens[-1].encode()

    def get(self):
        return request(self.proxy.port)

    def all_have(self, assertion):
        """Whether both workers have a token that was given for the assertion."""
        return all(self.get().body.endswith(assertion[-8:].encode()) for _ in range(16))

    def stat(self, name):
        return sum(value for key, value in self.proxy.stats().items() if key.endswith("header_augmenting." + name))

    def assert_all_is_well(self):
        self.assertEqual(self.idp.wrong, [])
        self.assertNotIn("", self.tokens, "a request without a token")
        text = self.proxy.log()
        self.assertGreater(len(text), 500, "a trace log that says nothing proves nothing")
        for page in ("/stats", "/stats/prometheus", "/config_dump", "/clusters", "/server_info"):
            text += self.proxy.admin(page)[1]
        for planted in ("s3cr3t", "tok-", *self.idp.asked, *(part for one in self.idp.asked for part in one.split(".")[1:])):
            self.assertNotIn(planted, text)


@in_envoy_too
class Assertion(Identity):
    """The file comes from a server that a test can make fail."""

    def setUp(self):
        super().setUp()
        self.file = jwt(1)
        self.reads = 0
        server = PythonServer(self.read)
        self.addCleanup(server.close)
        self.files = config.cluster("files", server.port)

    def read(self, handler):
        self.reads += 1
        return (503, {}, b"s3cr3t") if self.file is None else (200, {}, self.file.encode() + b"\n")

    def test_a_file_authenticates_the_client(self):
        self.start_all(self.files, accepted=[self.file])
        wait_until(lambda: self.all_have(self.file), "a token on both workers")
        self.assertEqual(self.idp.asked, [self.file])
        self.assertEqual(self.reads, 1)
        self.assert_all_is_well()

    def test_a_file_that_is_not_there_yet_is_waited_for(self):
        there, self.file = self.file, None
        self.start_all(self.files, accepted=[there])
        wait_until(lambda: self.stat("sa.fetch_failed.status") >= 1, "a failed read")
        wait_until(lambda: "source idp: waits for source sa, which has no value yet" in self.proxy.log(), "the word of it")
        reply = self.get()
        self.assertEqual(reply.status, 503)
        self.assertNotIn(b"s3cr3t", reply.body)
        self.file = there
        wait_until(lambda: self.all_have(there), "a token on both workers")
        self.assertEqual(self.proxy.log().count("source idp: waits for source sa"), 1)
        self.assertEqual([name for name, value in self.proxy.stats().items() if ".idp.fetch_failed." in name and value], [])
        self.assertEqual(self.idp.asked, [there])
        self.assert_all_is_well()

    def test_a_file_that_was_replaced_costs_no_request(self):
        first, second = self.file, jwt(2)
        # A request waits for a token that is late on a busy machine, so that none is lost for the machine's sake.
        self.start_all(self.files, lifetime=2, accepted=[first], when_missing={"action": "hold", "hold_for": "60s"})
        wait_until(lambda: self.all_have(first), "a token on both workers")
        reads = self.reads
        # As the provider sees it the old one is over; the filter has that one still.
        self.file, self.idp.accepted = second, {second}
        statuses = set()

        def replaced():
            statuses.add(self.get().status)
            return self.all_have(second)
        wait_until(replaced, "a token of the second")
        self.assertEqual(statuses, {200})
        self.assertGreater(self.reads, reads)
        self.assertTrue(self.stat("idp.fetch_failed.status"), "the old one was refused first")
        self.assert_all_is_well()


@in_envoy_too
class ProjectedToken(Identity):
    """The proxy serves the file to the filter itself, over a pipe."""

    def test_a_token_that_is_rotated(self):
        current = jwt(1, lifetime=6)
        mount = Mount(os.path.join(self.directory, "mount"), token=current)
        pipe = os.path.join(self.directory, "files.sock")
        served = {"match": {"path": "/sa"}, "direct_response": {"status": 200, "body": {
            "filename": mount.file("token"), "watched_directory": {"path": mount.path}}}}
        self.start_all(pipes.cluster("files", pipe), [pipes.listener(pipe, 0o600, name="files", routes=[served])], lifetime=2,
                       accepted=[current], when_missing={"action": "hold", "hold_for": "60s"})
        wait_until(lambda: self.all_have(current), "a token on both workers")
        self.assertEqual(os.stat(pipe).st_mode & 0o777, 0o600)
        statuses = []
        done = threading.Event()

        def ask():
            while not done.is_set():
                statuses.append(self.get().status)
        client = threading.Thread(target=ask)
        client.start()
        try:
            for number in range(2, 5):
                current = jwt(number, lifetime=6)
                self.idp.accepted = {current}  # the old one is refused from now on
                mount.put(token=current)
                wait_until(lambda now=current: self.all_have(now), f"a token of the {number}th")
        finally:
            done.set()
            client.join()
        self.assertEqual(set(statuses), {200})
        self.assert_all_is_well()

    @only_make_envoy("a minute")
    def test_a_thousand_requests_a_second(self):
        """Over 20 rotations in Envoy, where the authorization server takes the newest token only and HAProxy judges each request."""
        rotations = 20 if self.in_envoy else 3
        current = jwt(1)
        mount = Mount(os.path.join(self.directory, "mount"), token=current)
        pipe = os.path.join(self.directory, "files.sock")
        served = {"match": {"path": "/sa"}, "direct_response": {"status": 200, "body": {
            "filename": mount.file("token"), "watched_directory": {"path": mount.path}}}}
        judge = self.start(Haproxy(self.directory, JUDGE))
        self.origin_port = judge.port
        self.start_all(pipes.cluster("files", pipe), [pipes.listener(pipe, 0o600, name="files", routes=[served])], lifetime=5,
                       accepted=[current])
        self.idp.token = lambda _: f"tok-{len(self.idp.asked)}.{int((time.time() + 5) * 1000)}"
        wait_until(lambda: all(self.get().status == 200 for _ in range(24)), "a token on both workers")
        asked = len(self.idp.asked)
        seconds = 2 * rotations + 2
        command = ["h2load", "--h1", "-n", str(1000 * seconds), "-c", "20", "-t", "1", "--rps", "50", f"http://127.0.0.1:{self.proxy.port}/"]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        try:
            for number in range(2, rotations + 2):
                # A new one at the pace of the client's requests; the old one is refused from now on.
                time.sleep(2)
                current = jwt(number)
                self.idp.accepted = {current}
                mount.put(token=current)
            said = client.communicate(timeout=10 * seconds)[0]
        finally:
            client.kill()
            client.wait()
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", said)
        self.assertEqual([int(code) for code in codes.groups()], [1000 * seconds, 0, 0, 0], said)
        self.assertGreaterEqual(len(set(self.idp.asked[asked:])), rotations // 3, "tokens that were replaced were in use")
        self.assertEqual(self.idp.wrong, [])


if __name__ == "__main__":
    unittest.main()
