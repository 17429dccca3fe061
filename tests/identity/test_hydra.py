# SPDX-License-Identifier: Apache-2.0
"""Ory Hydra: client credentials, clients with a key, assertions of callers (RFC 7523), and refresh tokens that it replaces and watches."""

import base64
import concurrent.futures
import http.cookies
import json
import os
import re
import time
import unittest
import urllib.parse
import uuid

from identity.provider import FilterTest, Provider, call, call_json, find
from support import config
from support.both import in_envoy_too
from support.keys import jwt, key_pair
from support.oidc import jwt_claims
from support.origins import PythonServer
from support.processes import Program, free_port, wait_until

SECRET = "s3cr3t+e/c r%t:&=~"  # each byte that an encoding could lose
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 12


class Hydra(Provider):
    """hydra serve all, with its data in memory."""

    def __init__(self):
        folder = find("hydra")
        super().__init__()
        self.port, self.admin_port = free_port(), free_port()
        self.url, self.admin = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.admin_port}/admin"
        path = os.path.join(self.directory, "hydra.json")
        with open(path, "w") as file:
            json.dump({"serve": {"public": {"host": "127.0.0.1", "port": self.port}, "admin": {"host": "127.0.0.1", "port": self.admin_port}},
                       "dsn": "memory", "urls": {"self": {"issuer": self.url}, "login": self.url + "/none", "consent": self.url + "/none"},
                       "secrets": {"system": ["a secret of the tests' own, 32 bytes"]},
                       "ttl": {"access_token": f"{LIFETIME}s", "refresh_token": "1h"}, "strategies": {"access_token": "jwt"},
                       "log": {"level": "warn"}}, file)
        server = self.start(Program("hydra", [os.path.join(folder, "hydra"), "serve", "all", "--dev", "-c", path], self.directory))
        server.wait_for(lambda: self.answers("/health/ready"), "/health/ready", 300)
        # The first of each makes a key, which may take longer than a source waits, and than Hydra lets an answer take.
        self.add_client(client_id="first", token_endpoint_auth_method="client_secret_post")
        form = {"grant_type": "client_credentials", "client_id": "first", "client_secret": SECRET}
        wait_until(lambda: all(self.answers(path, form) for path, form in (("/.well-known/jwks.json", None), ("/oauth2/token", form))),
                   "its keys", 300)

    def answers(self, path, form=None):
        try:
            return call(self.url + path, form=form)[0] == 200
        except OSError:
            return False

    def add_client(self, **client):
        client = {"client_secret": SECRET, "grant_types": ["client_credentials"], "audience": ["orders"], "scope": "read write offline", **client}
        call_json(self.admin + "/clients", 201, body=client)

    def introspect(self, token):
        return call_json(self.admin + "/oauth2/introspect", form={"token": token})

    def trust(self, issuer, jwk):
        """Takes assertions of that issuer, about anybody."""
        call_json(self.admin + "/trust/grants/jwt-bearer/issuers", 201, body={
            "issuer": issuer, "allow_any_subject": True, "scope": ["read"], "jwk": jwk, "expires_at": "2099-01-01T00:00:00Z"})

    def log_in(self, client, user):
        """The refresh token that a user's login in a browser brings: RFC 6749 section 4.1, with both pages' answers given by Hydra's admin."""
        cookies = http.cookies.SimpleCookie()
        back = "http://127.0.0.1:1/back"

        def follow(url):
            sent = {"cookie": "; ".join(f"{name}={one.value}" for name, one in cookies.items())}
            _, headers, _ = call(url, headers=sent)
            for line in headers.get_all("set-cookie") or []:
                cookies.load(line)
            return headers["location"]

        def accept(what, url, body):
            challenge = re.search(what + r"_challenge=([^&]+)", url)[1]
            return call_json(f"{self.admin}/oauth2/auth/requests/{what}/accept?{what}_challenge={challenge}", method="PUT", body=body)["redirect_to"]
        query = {"client_id": client, "response_type": "code", "scope": "offline", "redirect_uri": back, "state": "0123456789"}
        at_login = follow(f"{self.url}/oauth2/auth?{urllib.parse.urlencode(query)}")
        at_consent = follow(accept("login", at_login, {"subject": user}))
        done = follow(accept("consent", at_consent, {"grant_scope": ["offline"]}))
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(done).query)["code"][0]
        return call_json(self.url + "/oauth2/token", form={"grant_type": "authorization_code", "code": code, "redirect_uri": back,
                                                           "client_id": client, "client_secret": SECRET})["refresh_token"]


hydra = None


def setUpModule():
    global hydra
    try:
        hydra = Hydra()
    except unittest.SkipTest as reason:
        HydraTest.why = str(reason)


def tearDownModule():
    if hydra:
        hydra.end()


class HydraTest(FilterTest):
    why = None

    def setUp(self):
        super().setUp()
        if self.why:
            self.skipTest(self.why)
        self.client = f"client-{uuid.uuid4()}"

    def source(self, **oauth2):
        return {"name": "hydra", "cluster": "hydra", "authority": f"127.0.0.1:{hydra.port}", "path": "/oauth2/token", "format": "oauth2",
                "oauth2": {"client_id": self.client, **oauth2}}

    def start_with(self, source, secrets=None, clusters=(), more=(), judge=None, **keys):
        self.start_filter([source, *more], [config.cluster("hydra", hydra.port), *clusters], judge or hydra.introspect,
                          {"SECRET": SECRET, "TOKEN_URL": hydra.url + "/oauth2/token", **(secrets or {})}, **keys)
        self.planted = tuple(one for one in self.planted if not one.startswith("http"))


@in_envoy_too
class ClientCredentials(HydraTest):
    def check(self, method):
        hydra.add_client(client_id=self.client, token_endpoint_auth_method=method)
        self.start_with(self.source(auth_method=method, client_secret="${env:SECRET}", scopes=["read"], audience="orders"),
                        when_missing={"action": "hold", "hold_for": "60s"})
        self.wait_for_tokens()
        said = self.upstream.judged[-1][1]
        self.assertEqual((said["client_id"], said["aud"], said["scope"]), (self.client, ["orders"], "read"))
        wait_until(lambda: self.get().status == 200 and len({token for token, _ in self.upstream.judged}) >= 3, "the third token")
        self.assertEqual([said for _, said in self.upstream.judged if not said["active"]], [])
        self.assert_nothing_is_shown()

    def test_basic_authentication(self):
        self.check("client_secret_basic")

    def test_authentication_in_the_body(self):
        self.check("client_secret_post")

    def test_a_wrong_secret(self):
        hydra.add_client(client_id=self.client, client_secret="another one than that", token_endpoint_auth_method="client_secret_basic")
        self.start_with(self.source(client_secret="${env:SECRET}"))
        wait_until(lambda: "the answer's status is not 200 but 401 (invalid_client" in self.proxy.log(), "what Hydra says")
        self.assertEqual(self.get().status, 503)
        self.assert_nothing_is_shown()


@in_envoy_too
class ClientsWithAKey(HydraTest):
    def check(self, alg):
        pem, jwk = key_pair(alg)
        hydra.add_client(client_id=self.client, client_secret="", token_endpoint_auth_method="private_key_jwt",
                         token_endpoint_auth_signing_alg=alg, jwks={"keys": [jwk]})
        signing = {"key": "${env:KEY}", "alg": alg, "kid": "k1", "audience": "${env:TOKEN_URL}"}
        self.start_with(self.source(auth_method="private_key_jwt", signing=signing), {"KEY": pem}, when_missing={"action": "hold", "hold_for": "60s"})
        self.wait_for_tokens()
        self.assertEqual(self.upstream.judged[-1][1]["client_id"], self.client)
        wait_until(lambda: self.get().status == 200 and len({token for token, _ in self.upstream.judged}) >= 2, "another, by another assertion")
        self.assert_nothing_is_shown()

    def test_rsa(self):
        self.check("RS256")

    def test_a_curve(self):
        self.check("ES256")


@in_envoy_too
class Assertions(HydraTest):
    """Callers bring assertions of an issuer that Hydra trusts; it takes each once."""

    def test_each_is_used_once(self):
        hydra.add_client(client_id=self.client, grant_types=[JWT_BEARER], token_endpoint_auth_method="client_secret_basic")
        pem, jwk = key_pair("RS256")
        issuer = f"https://{self.client}.example"
        hydra.trust(issuer, jwk)
        self.start_with(self.source(grant_type="jwt_bearer", client_secret="${env:SECRET}", scopes=["read"]))

        def assertion(user, **claims):
            now = int(time.time())
            made = jwt(pem, {"iss": issuer, "sub": user, "aud": hydra.url + "/oauth2/token", "iat": now - 5, "exp": now + 600,
                             "jti": str(uuid.uuid4()), **claims})
            self.planted += (made, made.split(".")[1])
            return made
        for user in ("alice", "bob"):
            brought = assertion(user)
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                replies = list(pool.map(lambda _, one=brought: self.get(authorization=f"Bearer {one}"), range(40)))
            self.assertEqual({(reply.status, reply.body) for reply in replies}, {(200, user.encode())}, "a second call would have been refused")
        used, over = assertion("carol"), assertion("carol", exp=int(time.time()) - 1)
        form = {"grant_type": JWT_BEARER, "assertion": used, "scope": "read"}
        login = "Basic " + base64.b64encode(":".join(map(urllib.parse.quote_plus, (self.client, SECRET))).encode()).decode()
        self.assertEqual(call(hydra.url + "/oauth2/token", form=form, headers={"authorization": login})[0], 200)
        for bad in (used, over, brought[:-8] + "AAAAAAAA", assertion("carol", aud="https://other.example")):
            reply = self.get(authorization=f"Bearer {bad}")
            self.assertEqual((reply.status, reply.get("www-authenticate")), (401, 'Bearer error="invalid_token"'))
        self.assertEqual(len(self.upstream.judged), 80)
        self.assert_nothing_is_shown()


@in_envoy_too
class RefreshTokens(HydraTest):
    """Hydra gives another one with each answer, and ends them all when one comes again."""

    def begin(self):
        hydra.add_client(client_id=self.client, grant_types=["authorization_code", "refresh_token"], response_types=["code"],
                         redirect_uris=["http://127.0.0.1:1/back"], token_endpoint_auth_method="client_secret_post")
        self.first = hydra.log_in(self.client, "robot")
        self.file = PythonServer(lambda _: (200, {}, self.first.encode()))
        self.addCleanup(self.file.close)
        self.run_proxy()

    def run_proxy(self):
        keys = call_json(hydra.url + "/.well-known/jwks.json")["keys"]

        def judge(token):  # by its signature: Hydra calls a token inactive as soon as it has given another, before any worker has that
            claims = jwt_claims(token, keys)
            return {"active": claims["exp"] > time.time(), **claims}
        self.start_with(self.source(grant_type="refresh_token", auth_method="client_secret_post", client_secret="${env:SECRET}",
                                    refresh_token="${source:file}"), judge=judge,
                        clusters=[config.cluster("file", self.file.port)], when_missing={"action": "hold", "hold_for": "5s"},
                        more=[{"name": "file", "cluster": "file", "format": "text", "refresh": {"every": "1s"}}])

    def test_each_is_used_once(self):
        self.begin()
        self.wait_for_tokens()
        wait_until(lambda: self.get().status == 200 and len({token for token, _ in self.upstream.judged}) >= 4, "the fourth token")
        self.assertEqual([said for _, said in self.upstream.judged if not said["active"]], [])
        self.assertEqual({said["sub"] for _, said in self.upstream.judged}, {"robot"})
        self.assertNotIn("fetch failed", self.proxy.log())
        self.assert_nothing_is_shown(self.first, "ory_rt_")

    def test_a_restart_needs_another(self):
        self.begin()
        self.wait_for_tokens()
        self.proxy.end()
        self.run_proxy()
        wait_until(lambda: re.search(r"not 200 but 4\d\d \((invalid_grant|token_inactive)", self.proxy.log()), "the first is spent")
        self.first = hydra.log_in(self.client, "robot")
        wait_until(lambda: self.get().status == 200, "another one in the file is taken at once")
        self.assert_nothing_is_shown(self.first, "ory_rt_")


if __name__ == "__main__":
    unittest.main()
