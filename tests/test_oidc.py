# SPDX-License-Identifier: Apache-2.0
"""OAuth2 client credentials against a real authorization server; the upstream has it judge every token that arrives."""

import threading
import time
import unittest

from support import config
from support.both import in_envoy_too
from support.keys import key_pair
from support.oidc import AuthorizationServer, install, jwt_claims
from support.origins import PythonServer
from support.processes import PATIENCE, TestCase, filter_module, wait_until
from support.wire import request

# Each byte that an encoding could lose: form, percent, colon, base64's own.
SECRET = "s3cr3t+a:b%20c%%d&e=f/g?h ~i"
BASIC = {"client_id": "orders:basic+1", "client_secret": SECRET, "token_endpoint_auth_method": "client_secret_basic"}
POST = {"client_id": "orders-post", "client_secret": SECRET[::-1], "token_endpoint_auth_method": "client_secret_post"}
RESOURCE = "urn:orders:api"
LIFETIME = 4  # the server counts in whole seconds, so that a token may live for up to a second less


def setUpModule():
    install()


class Upstream(PythonServer):
    """Answers 200 to a request whose token the authorization server calls active, 401 to any other."""

    def __init__(self, judge):
        self.judge = judge
        self.tokens = []  # in order of arrival
        self.judged = []  # (token, what the server said of it)
        self.lock = threading.Lock()
        super().__init__(self.answer)

    def answer(self, handler):
        scheme, _, token = handler.headers.get("authorization", "").partition(" ")
        verdict = self.judge(token) if scheme == "Bearer" and token else {"active": False}
        with self.lock:
            self.tokens.append(token)
            self.judged.append((token, verdict))
        return (200 if verdict["active"] else 401), {}, b""


@in_envoy_too
class OpenId(TestCase):
    def start_all(self, source, clients=(BASIC, POST), lifetime=LIFETIME, secret=SECRET, **keys):
        self.server = self.start(AuthorizationServer(self.directory, clients, lifetime, [RESOURCE]))
        self.upstream = Upstream(lambda token: self.server.introspect(token))
        self.addCleanup(self.upstream.close)
        source = {"name": "idp", "cluster": "idp", "authority": f"127.0.0.1:{self.server.port}", "path": "/token",
                  "format": "oauth2", **source}
        if "auth_method" not in source["oauth2"] or source["oauth2"]["auth_method"].startswith("client_secret"):
            source["oauth2"] = {"client_secret": "${env:CLIENT_SECRET}", **source["oauth2"]}
        augmenter = config.wasm(filter_module(), {"sources": [source], **keys}, name="header_augmenting", vm_id="oidc")
        augmenter["typed_config"]["config"]["vm_config"]["environment_variables"] = {"key_values": {
            "CLIENT_SECRET": secret, "TOKEN_URL": self.server.url + "/token"}}
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.upstream.port),
                                                        config.cluster("idp", self.server.port)], [augmenter]),
                                      concurrency=2, level="trace")

    def get(self):
        return request(self.proxy.port).status

    def wait_for_tokens(self):
        wait_until(lambda: all(self.get() == 200 for _ in range(8)), "a token on both workers")

    def stat(self, name):
        return sum(value for key, value in self.proxy.stats().items() if key.endswith("header_augmenting." + name))

    def assert_secrecy(self):
        text = self.proxy.log() + self.proxy.admin("/stats")[1]
        if not self.in_envoy:  # which shows its whole bootstrap
            text += self.proxy.admin("/config_dump")[1]
        for planted in (SECRET, SECRET[::-1], "s3cr3t", "t3rc3s", *(token for token in self.upstream.tokens if token)):
            self.assertNotIn(planted, text)

    def test_basic_authentication(self):
        self.start_all({"oauth2": {"client_id": BASIC["client_id"], "scopes": ["read", "write"], "audience": "orders api"}})
        self.wait_for_tokens()
        token, said = self.upstream.judged[-1]
        self.assertEqual((said["client_id"], said["scope"], said["token_type"]), (BASIC["client_id"], "read write", "Bearer"))
        grant = self.server.granted(BASIC["client_id"])[0]
        self.assertEqual((grant["basic"], grant["scope"], grant["audience"]), (True, "read write", "orders api"))
        # The judge has teeth.
        for forged in (f"Bearer {token[:-1]}", "Bearer forged", f"Basic {token}"):
            self.assertEqual(request(self.upstream.port, headers={"authorization": forged}).status, 401, forged)
        self.assertEqual(request(self.proxy.port, headers={"authorization": "Bearer forged"}).status, 200)
        self.assert_secrecy()

    def test_authentication_in_the_body(self):
        self.start_all({"oauth2": {"client_id": POST["client_id"], "auth_method": "client_secret_post"}}, secret=POST["client_secret"])
        self.wait_for_tokens()
        self.assertEqual(self.upstream.judged[-1][1]["client_id"], POST["client_id"])
        self.assertFalse(self.server.granted(POST["client_id"])[0]["basic"])
        self.assert_secrecy()

    def check_key(self, alg):
        pem, jwk = key_pair(alg)
        client = {"client_id": f"orders:{alg}", "token_endpoint_auth_method": "private_key_jwt",
                  "token_endpoint_auth_signing_alg": alg, "jwks": {"keys": [jwk]}}
        self.start_all({"oauth2": {
            "client_id": client["client_id"], "auth_method": "private_key_jwt",
            "signing": {"key": "${env:CLIENT_SECRET}", "alg": alg, "kid": "k1", "audience": "${env:TOKEN_URL}"}}}, clients=[client], secret=pem)
        if self.since("1.37", new=False, old=True, why="it has no function `sign`"):
            wait_until(lambda: self.stat("idp.fetch_failed.not_signed") >= 1, "an assertion that is not signed")
            self.assertIn("the assertion could not be signed: this host does not sign, as Envoy does from 1.37 on", self.proxy.log())
            self.assertEqual(self.get(), 503)
            self.assert_secrecy()
            return
        self.wait_for_tokens()
        first = self.upstream.tokens[-1]
        self.assertEqual(self.upstream.judged[-1][1]["client_id"], client["client_id"])
        wait_until(lambda: self.get() == 200 and self.upstream.tokens[-1] != first, "another token, with another assertion")
        self.assert_secrecy()
        for line in pem.splitlines()[1:-1]:
            self.assertNotIn(line, self.proxy.log())

    def test_a_key_of_rsa(self):
        self.check_key("RS256")

    def test_a_key_of_a_curve(self):
        self.check_key("ES256")

    def test_a_resource_has_its_own_audience(self):
        self.start_all({"oauth2": {"client_id": BASIC["client_id"], "resource": RESOURCE, "scopes": ["read"]}})
        # The upstream of this one judges by the server's keys.
        seen = []
        keys = self.server.jwks()
        self.upstream.judge = lambda token: {"active": not seen.append(jwt_claims(token, keys))}
        self.wait_for_tokens()
        claims = seen[-1]
        self.assertEqual((claims["aud"], claims["client_id"], claims["scope"]), (RESOURCE, BASIC["client_id"], "read"))
        self.assertEqual(claims["iss"], self.server.url)
        self.assertGreater(claims["exp"], claims["iat"])
        token = self.upstream.tokens[-1]
        head, _, signature = token.rpartition(".")
        with self.assertRaises(ValueError):
            jwt_claims(head + "." + signature[:-8] + ("A" * 8 if signature[-8:] != "A" * 8 else "B" * 8), keys)
        self.assert_secrecy()

    def test_tokens_are_renewed_before_they_expire(self):
        self.start_all({"oauth2": {"client_id": BASIC["client_id"]}, "refresh": {"early": "1800ms", "jitter": "0%"}},
                       when_missing={"action": "hold", "hold_for": f"{PATIENCE}s"})  # for a machine that is late
        self.wait_for_tokens()
        first, statuses = self.upstream.tokens[-1], []

        def third():
            statuses.append(self.get())
            return len(set(self.upstream.tokens[8:])) >= 4

        begin = time.monotonic()
        wait_until(third, "the fourth token")
        elapsed = time.monotonic() - begin
        self.assertEqual(set(statuses), {200})
        grants = len(self.server.granted(BASIC["client_id"]))
        self.assertLessEqual(grants, elapsed / (LIFETIME - 1.8) + 3, "one fetch for both workers")
        # The server itself says that the first is over by now, and that is what the upstream would have seen.
        self.assertEqual(self.server.introspect(first), {"active": False})
        self.assertEqual(request(self.upstream.port, headers={"authorization": f"Bearer {first}"}).status, 401)
        self.assert_secrecy()

    def test_a_token_that_is_revoked_is_replaced(self):
        self.start_all({"oauth2": {"client_id": BASIC["client_id"]}}, lifetime=600)
        self.wait_for_tokens()
        first = self.upstream.tokens[-1]
        # Only the client that a token was given to may revoke it (RFC 7009 section 2.1).
        self.server.UPSTREAM = BASIC
        self.assertEqual(self.server.post("/token/revocation", {"token": first})[0], 200)
        self.server.UPSTREAM = AuthorizationServer.UPSTREAM
        self.assertEqual(self.get(), 401)
        self.wait_for_tokens()
        self.assertNotEqual(self.upstream.tokens[-1], first)
        self.assertEqual(len(self.server.granted(BASIC["client_id"])), 2)
        wait_until(lambda: self.stat("idp.invalidated") == 1, "the count")
        self.assert_secrecy()

    def test_a_wrong_secret_is_refused_until_the_server_knows_it(self):
        wrong = {**BASIC, "client_secret": "not " + SECRET}
        self.start_all({"oauth2": {"client_id": BASIC["client_id"]}}, clients=[wrong])
        wait_until(lambda: self.stat("idp.fetch_failed.status") >= 1, "a refused fetch")
        self.assertEqual(self.get(), 503)
        self.assertEqual(self.upstream.tokens, [])
        self.assertIn({"refused": "invalid_client"}, self.server.events())
        self.assertIn("the answer's status is not 200 but 401 (invalid_client: client authentication failed)", self.proxy.log())
        # An operator mends it; nothing is restarted but the server, and the filter asks again within ten seconds, or twenty.
        self.server.end()
        self.server = self.start(AuthorizationServer(
            self.directory, [BASIC], LIFETIME, port=self.server.port, name="mended-server"))
        self.wait_for_tokens()
        self.assert_secrecy()


if __name__ == "__main__":
    unittest.main()
