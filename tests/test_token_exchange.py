# SPDX-License-Identifier: Apache-2.0
"""Users' tokens that are exchanged on the way (RFC 8693, RFC 7523), at an authorization server that takes nothing that is not right."""

import concurrent.futures
import json
import time
import unittest

from support import config
from support import fault_servers as faults
from support.both import in_envoy_too
from support.processes import PATIENCE, TestCase, filter_module, wait_until
from support.sts import AuthorizationServer, Judge
from support.wire import request


class Exchange(TestCase):
    def start_all(self, grant="token_exchange", lifetime=600, source=None, oauth2=None, **keys):
        self.sts = AuthorizationServer(lifetime)
        self.addCleanup(self.sts.close)
        self.upstream = Judge(self.sts.issuer)
        self.addCleanup(self.upstream.close)
        self.sent = []
        audience = {"audience": "orders"} if grant == "token_exchange" else {}
        made = {"name": "obo", "cluster": "sts", "authority": "login.example.com", "path": "/token", "format": "oauth2",
                "oauth2": {"grant_type": grant, "client_id": "gw", "client_secret": self.sts.secret, **audience, **(oauth2 or {})},
                **(source or {})}
        augmenter = config.wasm(filter_module(), {"sources": [made], **keys}, name="header_augmenting", vm_id="exchange")
        bootstrap = config.bootstrap([config.cluster("origin", self.upstream.port), config.cluster("sts", self.sts.port)], [augmenter])
        self.proxy = self.start_proxy(bootstrap, concurrency=2, level="trace")

    def get(self, token=None, path="/", **options):
        if token is not None:
            self.sent.append(token)
            options["headers"] = {**options.get("headers", {}), "authorization": f"Bearer {token}"}
        return request(self.proxy.port, path, **options)

    def stat(self, name):
        return sum(value for key, value in self.proxy.stats().items() if key.endswith("header_augmenting.obo." + name))

    def assert_all_is_well(self):
        self.assertEqual(self.sts.wrong, [])
        # A refusal, so that the log has what the filter says of a token; 502 where the test has taken the client's right away.
        self.assertIn(request(self.proxy.port, "/", headers={"authorization": "Bearer unknown-token"}).status, (401, 502))
        wait_until(lambda: "exchange failed" in self.proxy.log(), "what the log says of a refusal")
        text = self.proxy.log()
        self.assertNotIn("unknown-token", text)
        for page in ("/stats", "/stats/prometheus", "/clusters", "/server_info"):
            text += self.proxy.admin(page)[1]
        for token in self.sent:
            for part in token.split(".")[1:]:
                self.assertNotIn(part, text)
        self.assertNotIn("s3cr3t", text)


@in_envoy_too
class TokenExchange(Exchange):
    def test_each_user_is_asked_for_once(self):
        self.start_all()
        users = {name: self.sts.user_token(name) for name in ("alice", "bob", "carol")}
        for _ in range(12):
            for name, token in users.items():
                reply = self.get(token)
                self.assertEqual((reply.status, reply.body), (200, name.encode()))
        self.assertEqual(sorted(self.sts.asked.values()), [1, 1, 1])
        wait_until(lambda: self.stat("exchange.hit") + self.stat("exchange.waited") == 36, "the counts")
        self.assertEqual(self.stat("exchange.miss"), 3)
        self.assert_all_is_well()

    def test_a_hundred_requests_at_once(self):
        self.start_all()
        self.sts.delay = 0.3
        token = self.sts.user_token("alice")
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            replies = list(pool.map(lambda _: self.get(token), range(100)))
        self.assertEqual({(reply.status, reply.body) for reply in replies}, {(200, b"alice")})
        self.assertEqual(list(self.sts.asked.values()), [1], "one call, whichever worker a request came to")
        self.assert_all_is_well()

    def test_what_a_caller_is_told(self):
        self.start_all(rules=[{"match": {"path_prefix": "/none"}, "with": {"audience": "none"}}, {}])
        good = self.sts.user_token("alice")
        over, tampered = self.sts.user_token("alice", exp=time.time() - 1), good[:-4] + "AAAA"
        for token, status, challenge in ((None, 401, "Bearer"), (over, 401, 'Bearer error="invalid_token"'),
                                         (tampered, 401, 'Bearer error="invalid_token"'),
                                         (self.sts.user_token("alice", aud="other"), 401, 'Bearer error="invalid_token"'),
                                         ("a" * 8193, 431, None)):
            reply = self.get(token)
            self.assertEqual((reply.status, reply.get("www-authenticate")), (status, challenge), token)
            self.assertNotIn(b".", reply.body, "no words of the service's")
        reply = self.get(good, "/none")
        self.assertEqual((reply.status, reply.get("www-authenticate")), (403, 'Bearer error="insufficient_scope"'))
        self.assertEqual(self.upstream.seen, [])
        asked = self.sts.requests
        for _ in range(8):
            self.assertEqual(self.get(tampered).status, 401)
        self.assertEqual(self.sts.requests, asked, "a refusal is remembered, by both workers")
        self.assertEqual(self.get(good).body, b"alice")
        self.sts.secret = "another"
        self.assertEqual(self.get(self.sts.user_token("bob")).status, 502)
        self.assertEqual(self.get(good).status, 200)
        self.assert_all_is_well()

    def test_a_field_that_comes_twice(self):
        self.start_all()
        good, other = (f"Bearer {self.sts.user_token(name)}" for name in ("alice", "bob"))
        self.sent += [good[7:], other[7:]]
        for known in (False, True):
            if known:
                self.assertEqual({self.get(token[7:]).status for token in (good, other) * 4}, {200}, "both tokens are on both workers")
            self.upstream.heads.clear()
            for values in ((good, other), (good, good), (good, "Basic YTpi"), (good, "x"), (f"{good}, {other}",), (f"{good},{other}",),
                           (f"{good},x",), (f"{good},",)):
                reply = request(self.proxy.port, "/", headers=[("Authorization" if index else "authorization", value)
                                                               for index, value in enumerate(values)])
                self.assertEqual((reply.status, reply.get("www-authenticate")), (401, 'Bearer error="invalid_token"'), values)
            reply = request(self.proxy.port, "/", headers=[("authorization", "Basic YTpi"), ("authorization", good)])
            self.assertEqual((reply.status, reply.get("www-authenticate")), (401, "Bearer"), "the scheme is that of the first")
            self.assertEqual(self.upstream.heads, [], "nothing of it reaches the upstream")
            reply = request(self.proxy.port, "/", headers=[("authorization", good), ("authorization", "")])
            self.assertEqual((reply.status, reply.body), (200, b"alice"))
            self.assertEqual([len(head.get_all("authorization")) for head in self.upstream.heads], [1])
        self.assertEqual(sorted(self.sts.asked.values()), [1, 1])
        self.assert_all_is_well()

    def test_another_field_that_comes_twice(self):
        self.start_all(oauth2={"subject": {"header": "x-user-token"}})
        tokens = [self.sts.user_token(name) for name in ("alice", "bob")]
        self.sent += tokens
        for _ in range(4):
            reply = request(self.proxy.port, "/", headers=[("x-user-token", token) for token in tokens] + [("authorization", "Basic YTpi")] * 2)
            self.assertEqual((reply.status, reply.body), (200, b"alice"), "the first one counts")
        for head in self.upstream.heads:
            self.assertEqual((head.get_all("x-user-token"), len(head.get_all("authorization"))), (None, 1), "both are taken off")
        self.assertEqual(self.sts.wrong, [])
        self.assertEqual(list(self.sts.asked.values()), [1])

    def test_audiences_by_path(self):
        self.start_all(rules=[{"match": {"path_prefix": "/stock"}, "use": ["obo"], "with": {"audience": "stock"}}, {"use": ["obo"]}])
        token = self.sts.user_token("alice")
        for _ in range(4):
            self.assertEqual(self.get(token, "/stock").body, b"alice")
            self.assertEqual(self.get(token, "/orders").body, b"alice")
        self.assertEqual(list(self.sts.asked.values()), [2], "one for each audience")
        self.assert_all_is_well()

    def test_the_service_goes_away_and_comes_back(self):
        self.start_all()
        token = self.sts.user_token("alice")
        self.assertEqual(self.get(token).status, 200)
        self.sts.fault = (503, b"s3cr3t")
        self.assertEqual({self.get(token).status for _ in range(8)}, {200}, "on both workers")
        refused = self.get(self.sts.user_token("bob"))
        self.assertEqual((refused.status, refused.get("retry-after")), (503, "1"))
        self.sts.fault = None
        wait_until(lambda: self.get(self.sts.user_token("bob")).status == 200, "the service is back")
        self.assert_all_is_well()

    def test_short_lives_under_load(self):
        self.start_all(lifetime=3, source={"timeout": "1s"})
        tokens = [self.sts.user_token(f"user-{number}") for number in range(5)]
        until = time.monotonic() + 8
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            while time.monotonic() < until:
                for reply in pool.map(self.get, tokens):
                    self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual([what for _, what in self.upstream.seen if not what.startswith("user-")], [], "no token that is over")
        self.assertGreater(min(self.sts.asked.values()), 2)
        self.assert_all_is_well()

    def test_keys_are_rotated(self):
        self.start_all()
        token = self.sts.user_token("alice")
        self.assertEqual(self.get(token).status, 200)
        self.sts.issuer.rotate()
        self.assertEqual(self.get(token).status, 401, "the upstream does not know the key any more")
        # Each worker drops what it has.
        wait_until(lambda: [self.get(token).status for _ in range(8)] == [200] * 8, "a token of the new key on both workers")
        self.assertLessEqual(self.sts.asked.most_common(1)[0][1], 4)
        self.sts.users.rotate(keep=1)
        self.assertEqual(self.get(token).status, 200)
        self.assertEqual(self.get(self.sts.user_token("bob")).body, b"bob")
        self.assert_all_is_well()


@in_envoy_too
class JwtBearer(Exchange):
    def test_an_assertion_is_used_once(self):
        self.start_all("jwt_bearer")
        for round_ in range(3):
            assertion = self.sts.assertion("alice")
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                replies = list(pool.map(lambda _, one=assertion: self.get(one), range(40)))
            self.assertEqual({(reply.status, reply.body) for reply in replies}, {(200, b"alice")}, round_)
        self.assertEqual(list(self.sts.asked.values()), [1, 1, 1])
        self.assert_all_is_well()

    def test_an_upstreams_refusal_does_not_spend_it_again(self):
        self.start_all("jwt_bearer")
        assertion = self.sts.assertion("alice")
        self.assertEqual(self.get(assertion, "/stock").status, 401, "the token is for another audience")
        self.assertEqual(self.get(assertion).status, 200)
        self.assertEqual(list(self.sts.asked.values()), [1])
        self.assert_all_is_well()

    def test_one_that_was_used_elsewhere(self):
        self.start_all("jwt_bearer")
        assertion = self.sts.assertion("alice")
        self.sts.used.add(self.sts.users.claims(assertion, self.sts.URL)["jti"])
        reply = self.get(assertion)
        self.assertEqual((reply.status, reply.get("www-authenticate")), (401, 'Bearer error="invalid_token"'))
        self.assert_all_is_well()


class Sts(faults.Provider):
    """Gives tok-N for whatever it is asked with."""

    def answer(self, is_token):
        return faults.response(faults.OK, json.dumps({"access_token": self.token(600), "token_type": "Bearer", "expires_in": 600}))


# (fault, status of a request whose token is to be exchanged while it lasts)
FAULTS = {
    "refusing": (faults.reset, 503), "slow": (faults.slow, 503), "silent": (faults.silent, 503),
    "status_401": (faults.status("401 Unauthorized"), 502), "status_403": (faults.status("403 Forbidden"), 502),
    "status_500": (faults.status("500 Internal Server Error"), 503),
    "redirect": (faults.raw(faults.response("HTTP/1.1 302 Found\r\nlocation: /s3cr3t-place\r\n", "")), 502),
    "no_content": (faults.raw("HTTP/1.1 204 No Content\r\n\r\n"), 502),
    "half_an_answer": (faults.raw(faults.OK + 'content-length: 100\r\n\r\n{"access_token": "tok-h'), 503),
    "no_http": (faults.raw("SSH-2.0-s3cr3t\r\n"), 503),
    "empty_body": (faults.body(""), 502), "html": (faults.body("<html>s3cr3t-page</html>"), 502),
    "invalid_json": (faults.body('{"access_token": "tok-broken'), 502),
    "ten_megabytes": (faults.huge, 502), "deep_nesting": (faults.body('{"a":' * 9000 + "1" + "}" * 9000), 502),
    "wrong_types": (faults.body('{"access_token": 5}'), 502),
    "another_kind_of_token": (faults.body('{"access_token": "tok-dpop", "token_type": "DPoP"}'), 502),
    "line_breaks": (faults.body('{"access_token": "tok-x\\r\\nx-evil: 1"}'), 502),
    "forged_names": (faults.forged, 200), "expires_in_0": (faults.lifetime("0", real=600), 200),
    "expires_in_negative": (faults.lifetime("-1", real=600), 200), "expires_in_missing": (faults.lifetime("", real=600), 200),
    "expires_in_text": (faults.lifetime('"soon"', real=600), 200),
    "expires_in_huge": (faults.lifetime("1000000000000000000", real=600), 200),
}


@in_envoy_too
class Faults(TestCase):
    """The matrix of test_fault_matrix.py, of a service that is asked for each user."""

    def test_each_fault_of_the_service(self):
        sts, upstream = Sts(), faults.Upstream()
        self.addCleanup(sts.down)
        self.addCleanup(upstream.down)
        source = {"name": "obo", "cluster": "sts", "path": "/token", "format": "oauth2", "timeout": f"{PATIENCE}s",
                  "oauth2": {"grant_type": "token_exchange", "client_id": "gw", "client_secret": "s3cr3t+of the/gateway"}}
        made = {"sources": [source, {**source, "name": "brief", "timeout": "500ms"}],
                "rules": [{"match": {"path": "/brief"}, "use": ["brief"]}, {"use": ["obo"]}]}
        augmenter = config.wasm(filter_module(), made, name="header_augmenting", vm_id="faults")
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", upstream.port), config.cluster("sts", sts.port)], [augmenter]),
                                 concurrency=2, level="trace")

        def get(user, path="/"):
            return request(proxy.port, path, headers={"authorization": f"Bearer s3cr3t-{user}"})

        def is_good(user):
            return get(user).status == 200
        wait_until(lambda: is_good("steady"), "a token")
        for name, (fault, status) in FAULTS.items():
            with self.subTest(name):
                wait_until(lambda user=name: is_good(user + "-before"), "a service without a fault")
                sts.fault = fault
                self.assertEqual({get("steady").status for _ in range(8)}, {200}, "on both workers")
                reply = get(name, "/brief" if fault in (faults.slow, faults.silent) else "/")
                self.assertEqual(reply.status, status)
                for planted in (b"s3cr3t", b"tok-"):
                    self.assertNotIn(planted, reply.body)
                sts.fault = None
                wait_until(lambda user=name: is_good(user), "recovery", interval=0.1)
        tokens = {seen.get("authorization") for seen in upstream.seen}
        self.assertLessEqual(tokens, set(sts.ends), "no token that was not given for another")
        self.assertFalse([seen for seen in upstream.seen if "x-evil" in seen.headers])
        text = proxy.log() + "".join(proxy.admin(page)[1] for page in ("/stats", "/stats/prometheus", "/clusters", "/server_info"))
        for planted in ("s3cr3t", "tok-"):
            self.assertNotIn(planted, text)


if __name__ == "__main__":
    unittest.main()
