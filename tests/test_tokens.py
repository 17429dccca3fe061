# SPDX-License-Identifier: Apache-2.0
"""OAuth2 tokens through the real proxy: held for at the start, renewed, refused, and never logged."""

import base64
import json
import subprocess
import threading
import time
import unittest
import urllib.parse

from support import config
from support.both import in_envoy_too
from support.certificates import Authority, server_context
from support.origins import PythonServer, ScriptedOrigin, read_request
from support.processes import INLAY, PATIENCE, TestCase, filter_module, free_port, wait_until
from support.wire import request

SECRET = "s3cr+t &%"


class IdentityProvider(PythonServer):
    """A token endpoint that checks its client and says in each token how many it has given."""

    def __init__(self, lifetime):
        self.lifetime = lifetime
        self.up = threading.Event()
        self.tokens = 0
        self.failures = []
        super().__init__(self.answer)

    def answer(self, handler):
        if not self.up.is_set():
            return 503, {}, b"s3cr+t"
        form = urllib.parse.parse_qs(handler.body.decode())
        scheme, _, credentials = handler.headers["authorization"].partition(" ")
        client, _, secret = base64.b64decode(credentials).decode().partition(":")
        if (scheme, client, urllib.parse.unquote_plus(secret)) != ("Basic", "orders", SECRET):
            self.failures.append("client")
        if (form["grant_type"], form["scope"]) != (["client_credentials"], ["read write"]):
            self.failures.append("form")
        self.tokens += 1
        token = {"access_token": f"tok-{self.tokens}", "token_type": "Bearer", "expires_in": self.lifetime}
        return 200, {"content-type": "application/json"}, json.dumps(token).encode()


@in_envoy_too
class Tokens(TestCase):
    def start_all(self, lifetime=3600, up=True, workers=2, plugins=1, capabilities=None, refresh=None, **keys):
        self.provider = IdentityProvider(lifetime)
        self.addCleanup(self.provider.close)
        if up:
            self.provider.up.set()
        self.refused = set()
        self.bare = 0  # requests that came without a token
        self.origin = PythonServer(self.serve)
        self.addCleanup(self.origin.close)
        source = {"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
                  "oauth2": {"client_id": "orders", "client_secret": "${env:SECRET}", "scopes": ["read", "write"]}}
        if refresh:
            source["refresh"] = refresh
        augmenters = [config.wasm(filter_module(), {"sources": [source], **keys}, name=f"header_augmenting_{number}",
                                  vm_id="tokens") for number in range(plugins)]
        for augmenter in augmenters:
            if capabilities:
                augmenter["typed_config"]["config"]["capability_restriction_config"] = {
                    "allowed_capabilities": {name: {} for name in capabilities}}
            vm = augmenter["typed_config"]["config"]["vm_config"]
            vm["environment_variables"] = {"key_values": {"SECRET": SECRET + "\n"}}  # as a file or a program ends it
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.origin.port),
                                                        config.cluster("idp", self.provider.port)], augmenters),
                                      concurrency=workers, level="trace")

    def serve(self, handler):
        token = handler.headers.get("authorization", "")
        self.bare += not token
        return (401 if token in self.refused else 200), {}, token.encode()

    def token(self):
        response = request(self.proxy.port)
        return response.body if response.status == 200 else None

    def stat(self, name):
        return sum(value for key, value in self.proxy.stats().items() if key.endswith("header_augmenting." + name))

    def assert_secret(self):
        self.assertEqual(self.provider.failures, [])
        for part in (SECRET, "s3cr", "tok-"):
            self.assertNotIn(part, self.proxy.log())

    def test_requests_are_held_until_the_first_token(self):
        self.start_all(up=False, when_missing={"action": "hold", "hold_for": "60s"})
        answers = []
        clients = [threading.Thread(target=lambda: answers.append(self.token())) for _ in range(8)]
        for client in clients:
            client.start()
        wait_until(lambda: self.stat("idp.fetch_failed.status") and self.stat("held") == 8, "a failed fetch, and all held")
        self.provider.up.set()
        for client in clients:
            client.join(PATIENCE)
        self.assertEqual(answers, [b"Bearer tok-1"] * 8)
        self.assertEqual(self.provider.tokens, 1)
        self.assert_secret()

    def test_no_more_requests_wait_than_may(self):
        self.start_all(up=False, workers=1, when_missing={"action": "hold", "hold_for": "600s", "max_held": 3, "status": 429})
        answers = []
        held = [threading.Thread(target=lambda: answers.append(self.token())) for _ in range(3)]
        for client in held:
            client.start()
        wait_until(lambda: self.stat("held") == 3, "three that wait")
        self.assertEqual([request(self.proxy.port).status for _ in range(5)], [429] * 5)
        self.assertEqual(answers, [])
        self.provider.up.set()
        for client in held:
            client.join(PATIENCE)
        self.assertEqual(answers, [b"Bearer tok-1"] * 3)
        wait_until(lambda: (self.stat("held"), self.stat("rejected")) == (3, 5), "the counts")
        self.assert_secret()

    def test_no_request_waits_for_ever(self):
        self.start_all(up=False, workers=1, when_missing={"action": "hold", "hold_for": "500ms", "status": 429})
        begin = time.monotonic()
        self.assertEqual(request(self.proxy.port).status, 429)
        self.assertGreaterEqual(time.monotonic() - begin, 0.5)
        wait_until(lambda: (self.stat("held"), self.stat("rejected")) == (1, 1), "the counts")
        self.assert_secret()

    def test_requests_that_are_turned_away_have_the_provider_asked(self):
        self.start_all(up=False, refresh={"retry": {"initial": "1d", "max": "1d"}})
        wait_until(lambda: self.stat("idp.fetch_failed.status") >= 1, "a failed fetch")
        self.provider.up.set()
        wait_until(self.token, "a token, though the next try would be hours away")
        wait_until(lambda: all(self.token() == b"Bearer tok-1" for _ in range(16)), "the token on every worker")
        self.assertEqual(self.provider.tokens, 1)
        self.assert_secret()

    def test_plugins_with_the_same_source_share_its_token(self):
        self.start_all(plugins=3)
        wait_until(lambda: all(self.token() for _ in range(16)), "a first token on every worker")
        self.assertEqual(self.token(), b"Bearer tok-1")
        self.assertEqual(self.provider.tokens, 1)
        wait_until(lambda: self.stat("idp.fetch_ok") == 1, "the count")

    def test_a_token_that_is_refused_is_fetched_anew_once(self):
        self.start_all()
        wait_until(lambda: all(self.token() for _ in range(16)), "a first token on every worker")
        self.refused.add("Bearer tok-1")
        self.assertIsNone(self.token())
        wait_until(lambda: all(self.token() == b"Bearer tok-2" for _ in range(16)), "the second token on every worker")
        self.assertEqual(self.provider.tokens, 2)
        self.assert_secret()

    def test_one_that_is_refused_where_the_filter_may_not_choose_the_context(self):
        told = subprocess.run([INLAY, "inspect", filter_module(), "--json", "--no-wasm-opt"], stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
        capabilities = set(json.loads(told.stdout)["allowed_capabilities"])
        self.start_all(workers=1, capabilities=capabilities - {"proxy_set_effective_context"}, refresh={"retry": {"initial": "1ms"}})
        wait_until(self.token, "a first token")
        self.refused.add("Bearer tok-1")
        self.assertIsNone(self.token())
        wait_until(lambda: self.token() == b"Bearer tok-2", "the second token")
        self.assertNotIn("a task waits", self.proxy.log(), "no task was started that could not run, with the lease")

    def test_tokens_follow_each_other(self):
        self.start_all(lifetime=2)
        wait_until(lambda: all(self.token() for _ in range(16)), "a first token on every worker")
        seen = set()

        def third():
            seen.add(self.token())
            return len(seen - {None}) >= 3

        wait_until(third, "the third token")
        self.assertEqual(self.bare, 0)
        self.assert_secret()


@in_envoy_too
class Unreachable(TestCase):
    """Providers that no answer can be had from, each with a line of the log that says so."""

    CONNECT = "remote connection failure"
    REASONS = {"misnamed": "TLS error: certificate verify failed: ", "untrusted": "TLS error: certificate verify failed: unable to get",
               "expired": "TLS error: certificate verify failed: certificate has expired",
               "refused": "delayed connect error: Connection refused"}

    def test_the_log_says_why(self):
        authority, stranger = Authority(self.directory, "ca"), Authority(self.directory, "stranger")
        certificates = {"misnamed": authority.issue("other", "DNS:other.example"),
                        "untrusted": stranger.issue("idp", "DNS:idp.example"),
                        "expired": authority.issue("old", "DNS:idp.example", expired=True)}
        trusted = config.upstream_tls(sni="idp.example", common_tls_context={"validation_context": {
            "trusted_ca": {"filename": authority.certificate},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "idp.example"}}]}})
        clusters = [config.cluster("origin", free_port()), config.cluster("refused", free_port())]
        for name, certificate in certificates.items():
            server = PythonServer(lambda _: (200, {}, b'{"access_token": "tok-1"}'), server_context(*certificate))
            self.addCleanup(server.close)
            clusters.append(config.cluster(name, server.port, transport_socket=trusted))
        for name, script in {"closing": read_request, "silent": lambda wire: (read_request(wire), wire.socket.recv(1))}.items():
            server = ScriptedOrigin(script)
            self.addCleanup(server.close)
            clusters.append(config.cluster(name, server.port))
        busy = PythonServer(lambda _: (503, {}, b"upstream connect error or disconnect/reset before headers. reset reason: s3cr+t"))
        self.addCleanup(busy.close)
        clusters.append(config.cluster("busy", busy.port))
        no_answer = "the proxy got no answer from the service: "
        expected = {**{name: no_answer + self.CONNECT for name in self.REASONS},
                    "closing": no_answer + "connection termination", "silent": no_answer + "upstream request timeout",
                    "busy": "the answer's status is not 200 but 503; ",  # though it uses the proxy's words
                    "missing": "the call could not be sent: there is no such cluster: missing"}
        if getattr(self.KIND, "MODULE", False):  # a module's call is answered, whatever becomes of it
            expected["missing"] = "the answer's status is not 200 but 503; "
        sources = [{"name": name, "cluster": name, "path": "/token", "format": "oauth2", "timeout": "300ms" if name == "silent" else "20s",
                    "oauth2": {"client_id": "orders", "client_secret": "s3cr+t"}} for name in expected]
        augmenter = config.wasm(filter_module(), {"sources": sources}, name="header_augmenting")
        proxy = self.start_proxy(config.bootstrap(clusters, [augmenter]))
        for name, reason in expected.items():
            wait_until(lambda line=f"source {name}: fetch failed: {reason}": line in proxy.log(), f"the log's word on {name}: {reason}")
        if self.either(True, False, why="statistics say it, and a log at level debug"):
            for name, reason in self.REASONS.items():
                self.assertIn(f"cluster '{name}': a guest's call got no connection: {reason}", proxy.log())
        self.assertNotIn("s3cr+t", proxy.log())


if __name__ == "__main__":
    unittest.main()
