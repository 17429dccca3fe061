# SPDX-License-Identifier: Apache-2.0
"""Keycloak: client credentials, clients with a key, service accounts' tokens as assertions, token exchange (RFC 8693), callers' assertions
(RFC 7523), and refresh tokens that it replaces."""

import concurrent.futures
import json
import os
import time
import unittest
import uuid

from identity.provider import FilterTest, Provider, call, call_json, find
from support import config
from support.both import in_envoy_too
from support.keys import jwt, key_pair
from support.oidc import jwt_claims
from support.origins import PythonServer
from support.processes import PATIENCE, Program, free_port, wait_until

SECRET = "s3cr3t+e/c r%t:&=~"  # each byte that an encoding could lose
PASSWORD = "s3cr3t pass+word"
LIFETIME = 20
REALM = "/realms/inlay"
TOKEN = REALM + "/protocol/openid-connect/token"
ACCOUNT = "system:serviceaccount:shop:orders"


def for_audience(client):
    """A mapper that puts a client into the `aud` of tokens."""
    return {"name": f"for {client}", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
            "config": {"included.client.audience": client, "access.token.claim": "true"}}


def client(name, **fields):
    return {"clientId": name, "secret": SECRET, "publicClient": False, "standardFlowEnabled": False, "directAccessGrantsEnabled": False,
            "serviceAccountsEnabled": False, **fields}


def user(name):
    return {"username": name, "enabled": True, "email": f"{name}@example.org", "emailVerified": True, "firstName": name, "lastName": name,
            "credentials": [{"type": "password", "value": PASSWORD}], "federatedIdentities": [
                {"identityProvider": "partner", "userId": f"partner-{name}", "userName": name}]}


class Keycloak(Provider):
    """kc.sh start-dev, with its data in memory, and one realm. `cluster` issues service accounts' tokens, `partner` assertions about users."""

    def __init__(self):
        folder = find("keycloak")
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys = {alg: key_pair(alg) for alg in ("RS256", "ES256")}
        self.issuer_key = key_pair("RS256")
        self.issuers = PythonServer(self.discover)
        self.cluster, self.partner = (f"http://127.0.0.1:{self.issuers.port}/{name}" for name in ("cluster", "partner"))
        command = [os.path.join(folder, "server", "bin", "kc.sh"), "start-dev", "--http-host=127.0.0.1", f"--http-port={self.port}",
                   f"--http-management-port={free_port()}", "--cache=local", "--db=dev-mem"]
        server = self.start(Program("keycloak", command, self.directory, {
            "KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD, "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx768m"}))
        server.wait_for(self.is_up, "its realm", 900)
        self.call_admin("/admin/realms", 201, body=self.realm())
        self.certificates = call_json(self.url + REALM + "/protocol/openid-connect/certs")["keys"]

    def end(self):
        super().end()
        self.issuers.close()

    def is_up(self):
        try:
            return call(self.url + "/realms/master")[0] == 200
        except OSError:
            return False

    def discover(self, handler):
        name = handler.path.split("/")[1]
        issuer = {"cluster": self.cluster, "partner": self.partner}[name]
        if handler.path.endswith("/keys"):
            return 200, {"content-type": "application/json"}, json.dumps({"keys": [self.issuer_key[1]]}).encode()
        return 200, {"content-type": "application/json"}, json.dumps({"issuer": issuer, "jwks_uri": issuer + "/keys"}).encode()

    def call_admin(self, path, expected, **options):
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": PASSWORD}
        token = call_json(self.url + "/realms/master/protocol/openid-connect/token", form=form)["access_token"]
        return call_json(self.url + path, expected, headers={"authorization": f"Bearer {token}"}, **options)

    def realm(self):
        keyed = [client(f"keyed-{alg}", serviceAccountsEnabled=True, clientAuthenticatorType="client-jwt", attributes={
            "use.jwks.string": "true", "jwks.string": json.dumps({"keys": [jwk]}), "token.endpoint.auth.signing.alg": alg})
                 for alg, (_, jwk) in self.keys.items()]
        return {
            "realm": "inlay", "enabled": True, "sslRequired": "none", "accessTokenLifespan": LIFETIME, "revokeRefreshToken": True,
            "refreshTokenMaxReuse": 0, "users": [user("alice"), user("bob")],
            "identityProviders": [
                {"alias": "cluster", "providerId": "kubernetes", "enabled": True,
                 "config": {"issuer": self.cluster, "supportsClientAssertions": "true"}},
                {"alias": "partner", "providerId": "oidc", "enabled": True, "config": {
                    "issuer": self.partner, "useJwksUrl": "true", "jwksUrl": self.partner + "/keys", "validateSignature": "true",
                    "clientId": "none", "clientSecret": "none", "authorizationUrl": self.partner, "tokenUrl": self.partner,
                    "jwtAuthorizationGrantEnabled": "true"}}],
            "clients": [
                client("plain", serviceAccountsEnabled=True), *keyed,
                client("workload", serviceAccountsEnabled=True, clientAuthenticatorType="federated-jwt", attributes={
                    "jwt.credential.issuer": "cluster", "jwt.credential.sub": ACCOUNT}),
                client("orders"),
                client("portal", directAccessGrantsEnabled=True, protocolMappers=[for_audience("gateway")]),
                client("other", directAccessGrantsEnabled=True),
                client("robot", directAccessGrantsEnabled=True),
                client("gateway", protocolMappers=[for_audience("orders")], attributes={
                    "standard.token.exchange.enabled": "true", "oauth2.jwt.authorization.grant.enabled": "true",
                    "oauth2.jwt.authorization.grant.idp": "partner"})]}

    def log_in(self, client_id, name):
        """What a user's login brings."""
        return call_json(self.url + TOKEN, form={"grant_type": "password", "client_id": client_id, "client_secret": SECRET, "username": name,
                                                 "password": PASSWORD})

    def signed(self, issuer, subject, audience, lifetime=600, **claims):
        now = int(time.time())
        return jwt(self.issuer_key[0], {"iss": issuer, "sub": subject, "aud": audience, "iat": now - 5, "nbf": now - 5, "exp": now + lifetime,
                                        "jti": str(uuid.uuid4()), **claims})

    def judge(self, token):
        """By its signature and its end."""
        try:
            claims = jwt_claims(token, self.certificates)
        except ValueError as error:
            return {"active": False, "said": str(error)}
        return {"active": claims["exp"] > time.time(), **claims}


keycloak = None


def setUpModule():
    global keycloak
    try:
        keycloak = Keycloak()
    except unittest.SkipTest as reason:
        KeycloakTest.why = str(reason)


def tearDownModule():
    if keycloak:
        keycloak.end()


class KeycloakTest(FilterTest):
    why = None

    def setUp(self):
        super().setUp()
        if self.why:
            self.skipTest(self.why)

    def start_with(self, oauth2, secrets=None, clusters=(), more=(), **keys):
        source = {"name": "kc", "cluster": "kc", "authority": f"127.0.0.1:{keycloak.port}", "path": TOKEN, "format": "oauth2", "timeout": "10s",
                  "oauth2": oauth2}
        self.start_filter([source, *more], [config.cluster("kc", keycloak.port), *clusters], keycloak.judge,
                          {"SECRET": SECRET, **(secrets or {})}, **keys)

    def file(self, read):
        """A source `file`, of what read() gives."""
        server = PythonServer(lambda _: (200, {}, read().encode()))
        self.addCleanup(server.close)
        return {"clusters": [config.cluster("file", server.port)],
                "more": [{"name": "file", "cluster": "file", "format": "text", "refresh": {"every": "1s"}}]}

    def wait_for_tokens_of(self, count, azp):
        """Until so many have come; each is good, and the client's."""
        self.wait_for_tokens()
        wait_until(lambda: self.get().status == 200 and len({token for token, _ in self.upstream.judged}) >= count, "the last of the tokens",
                   2 * PATIENCE)
        self.assertEqual([said for _, said in self.upstream.judged if not said["active"]], [])
        self.assertEqual({said["azp"] for _, said in self.upstream.judged}, {azp})

    HOLD = {"when_missing": {"action": "hold", "hold_for": "60s"}}


@in_envoy_too
class Clients(KeycloakTest):
    def test_a_secret(self):
        for method in ("client_secret_basic", "client_secret_post"):
            with self.subTest(method):
                self.start_with({"client_id": "plain", "client_secret": "${env:SECRET}", "auth_method": method}, **self.HOLD)
                self.wait_for_tokens_of(2, "plain")
                self.assert_nothing_is_shown()

    def test_a_wrong_secret(self):
        self.start_with({"client_id": "plain", "client_secret": "another s3cr3t"})
        wait_until(lambda: "the answer's status is not 200 but 401 (unauthorized_client" in self.proxy.log(), "what Keycloak says")
        self.assertEqual(self.get().status, 503)
        self.assert_nothing_is_shown("another s3cr3t")

    def test_a_key(self):
        for alg, (pem, _) in keycloak.keys.items():
            with self.subTest(alg):
                signing = {"key": "${env:KEY}", "alg": alg, "kid": "k1", "audience": keycloak.url + TOKEN}
                self.start_with({"client_id": f"keyed-{alg}", "auth_method": "private_key_jwt", "signing": signing}, {"KEY": pem}, **self.HOLD)
                self.wait_for_tokens_of(2, f"keyed-{alg}")
                self.assert_nothing_is_shown()

    def test_a_service_account(self):
        tokens = [keycloak.signed(keycloak.cluster, ACCOUNT, keycloak.url + REALM)]
        self.start_with({"client_id": "workload", "auth_method": "client_assertion", "client_assertion": "${source:file}"},
                        **self.file(lambda: tokens[-1]), **self.HOLD)
        self.wait_for_tokens_of(1, "workload")
        tokens.append(keycloak.signed(keycloak.cluster, ACCOUNT, keycloak.url + REALM))  # as a cluster replaces it
        self.wait_for_tokens_of(3, "workload")
        self.assertNotIn("fetch failed", self.proxy.log())
        self.assert_nothing_is_shown(*(part for token in tokens for part in token.split(".")[1:]))


@in_envoy_too
class Requests(KeycloakTest):
    def all_of(self, token, count=40):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            return list(pool.map(lambda _: self.get(authorization=f"Bearer {token}"), range(count)))

    def refusal(self, token):
        reply = self.get(authorization=f"Bearer {token}")
        return reply.status, reply.get("www-authenticate")

    def test_tokens_of_users_are_exchanged(self):
        self.start_with({"grant_type": "token_exchange", "client_id": "gateway", "client_secret": "${env:SECRET}", "audience": "orders"},
                        rules=[{"match": {"path_prefix": "/none"}, "use": ["kc"], "with": {"audience": "none"}}, {}])
        tokens = {name: keycloak.log_in("portal", name)["access_token"] for name in ("alice", "bob")}
        for token in tokens.values():
            self.assertEqual({reply.status for reply in self.all_of(token)}, {200})
        said = [said for _, said in self.upstream.judged]
        self.assertEqual({(one["preferred_username"], one["aud"], one["azp"], one["active"]) for one in said},
                         {(name, "orders", "gateway", True) for name in tokens})
        self.assertEqual(len({token for token, _ in self.upstream.judged}), 2, "one call for each")
        self.upstream.judged.clear()
        invalid = 'Bearer error="invalid_token"'
        self.assertEqual(self.refusal(tokens["alice"][:-8] + "AAAAAAAA"), (401, invalid))
        for_another = keycloak.log_in("other", "alice")["access_token"]
        self.assertEqual(self.refusal(for_another), (403, 'Bearer error="insufficient_scope"'), "it is not for the gateway")
        self.assertEqual(self.get("/none", authorization=f"Bearer {keycloak.log_in('portal', 'alice')['access_token']}").status, 502,
                         "Keycloak calls an audience that it does not know an invalid client")
        two = [("authorization", f"Bearer {token}") for token in tokens.values()]
        self.assertEqual(self.send(two), 401)
        self.assertEqual(self.upstream.judged, [], "nothing of it reaches the upstream")
        self.assert_nothing_is_shown(*(part for token in tokens.values() for part in token.split(".")[1:]))

    def test_assertions_are_used_once(self):
        self.start_with({"grant_type": "jwt_bearer", "client_id": "gateway", "client_secret": "${env:SECRET}"})
        made = {name: keycloak.signed(keycloak.partner, f"partner-{name}", keycloak.url + TOKEN, 60) for name in ("alice", "bob")}
        for name, assertion in made.items():
            self.assertEqual({reply.status for reply in self.all_of(assertion)}, {200}, "a second call would have been refused")
            self.assertEqual(self.upstream.judged[-1][1]["preferred_username"], name)
        used = keycloak.signed(keycloak.partner, "partner-alice", keycloak.url + TOKEN, 60)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": used, "client_id": "gateway", "client_secret": SECRET}
        self.assertEqual(call(keycloak.url + TOKEN, form=form)[0], 200)
        self.upstream.judged.clear()
        for bad in (used, made["alice"][:-8] + "AAAAAAAA"):
            self.assertEqual(self.refusal(bad), (401, 'Bearer error="invalid_token"'))
        self.assertEqual(self.upstream.judged, [])
        self.assert_nothing_is_shown(*(part for token in (*made.values(), used) for part in token.split(".")[1:]))


@in_envoy_too
class RefreshTokens(KeycloakTest):
    def test_each_is_used_once_and_a_restart_needs_another(self):
        first = [keycloak.log_in("robot", "alice")["refresh_token"]]
        oauth2 = {"grant_type": "refresh_token", "client_id": "robot", "client_secret": "${env:SECRET}", "refresh_token": "${source:file}"}
        keys = {**self.file(lambda: first[-1]), "when_missing": {"action": "hold", "hold_for": "5s"}}
        self.start_with(oauth2, **keys)
        self.wait_for_tokens_of(4, "robot")
        self.assertNotIn("fetch failed", self.proxy.log())
        self.assert_nothing_is_shown(first[-1].split(".")[1])
        self.proxy.end()
        self.start_with(oauth2, **keys)
        wait_until(lambda: "not 200 but 400 (invalid_grant" in self.proxy.log(), "the first is spent")
        first.append(keycloak.log_in("robot", "alice")["refresh_token"])
        wait_until(lambda: self.get().status == 200, "another one in the file is taken at once")
        self.assert_nothing_is_shown(*(token.split(".")[1] for token in first))


if __name__ == "__main__":
    unittest.main()
