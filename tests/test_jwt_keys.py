# SPDX-License-Identifier: Apache-2.0
"""Keys that jwt_authn fetches from a server: when, how often, and what comes of failures."""

import threading
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.http2_client import Http2Client
from support.jwts import BAD, FAILS, Jwt, bearer, jwt_authn, key_set, named, provider, rule, token
from support.origins import PythonServer


class Keys(Jwt):
    """A server of keys."""

    def held_answer(self):
        """What a server of keys answers once the event is set, and the event; it is at the test's end."""
        let_go = threading.Event()
        self.addCleanup(let_go.set)

        def answer(_):
            let_go.wait(60)
            return 200, {}, key_set().encode()
        return answer, let_go

    def serve_remote(self, answer, http_uri=None, rules=None, concurrency=1, **remote):
        self.keys = PythonServer(answer)
        self.addCleanup(self.keys.close)
        uri = {"uri": "http://keys.test/jwks?v=1", "cluster": "keys", "timeout": "20s", **(http_uri or {})}
        self.serve(jwt_authn({"p": provider(remote_jwks={"http_uri": uri, **remote})}, rules), clusters=[config.cluster("keys", self.keys.port)])


@in_envoy_too
class RemoteKeys(Keys):
    def test_are_fetched_once(self):
        asked = []

        def answer(handler):
            asked.append((handler.command, handler.path, handler.headers["host"]))
            return 200, {}, key_set().encode()
        self.serve_remote(answer)
        for _ in range(3):
            self.assert_passes(headers=bearer(token()))
        self.assert_denied(FAILS, headers=bearer(BAD))
        self.assertEqual(asked, [("GET", "/jwks?v=1", "keys.test")])
        self.assertEqual([self.stats()["jwks_fetch_" + what] for what in ("success", "failed")], [1, 0])

    def test_nothing_is_fetched_for_what_is_no_token(self):
        self.serve_remote(lambda _: (200, {}, key_set().encode()))
        for text in ("x", token(iss="j"), token(exp=1)):
            self.assertEqual(self.ask(headers=bearer(text)).status, 401)
        self.assertEqual(self.keys.requests, 0)

    def test_a_failure_is_answered_and_the_next_request_asks_again(self):
        answers = [(500, b"oops"), (404, key_set().encode()), (200, b"oops"), (200, b'{"keys": []}'), (200, b""), (200, key_set().encode())]
        left = list(answers)

        def answer(_):
            status, body = left.pop(0)
            return status, {}, body
        self.serve_remote(answer)
        for _ in answers[:-1]:
            self.assert_denied("Jwks remote fetch is failed", headers=bearer(token()))
        self.assert_passes(headers=bearer(token()))
        self.assertEqual([self.stats()["jwks_fetch_" + what] for what in ("success", "failed")], [1, 5])

    def test_no_cluster_and_nobody_there(self):
        for cluster in ("none", "refuses"):
            self.serve(jwt_authn({"p": provider(remote_jwks={"http_uri": {"uri": "http://keys.test/", "cluster": cluster, "timeout": "20s"}})}),
                       clusters=[config.cluster("refuses", 1)])
            self.assert_denied("Jwks remote fetch is failed", headers=bearer(token()))

    def test_a_time_out(self):
        let_go = threading.Event()
        self.addCleanup(let_go.set)

        def answer(_):
            let_go.wait(60)
            return 200, {}, b""
        self.serve_remote(answer, http_uri={"timeout": "0.05s"})
        self.assert_denied("Jwks remote fetch is failed", headers=bearer(token()))

    def test_retries(self):
        left = [503, 502, 200]

        def answer(_):
            return left.pop(0), {}, key_set().encode()
        self.serve_remote(answer, retry_policy={"num_retries": 3, "retry_back_off": {"base_interval": "0.001s", "max_interval": "20s"}})
        self.assert_passes(headers=bearer(token()))
        self.assertEqual((left, self.stats()["jwks_fetch_failed"]), ([], 0))

    def test_expire(self):
        self.serve_remote(lambda _: (200, {}, key_set().encode()), cache_duration="1s")
        self.assert_passes(headers=bearer(token()))

        def again():
            self.assert_passes(headers=bearer(token()))
            return self.keys.requests > 1
        self.proxy.wait_for(again, "keys that were fetched again")

    def test_are_fetched_before_anybody_asks(self):
        self.serve_remote(lambda _: (200, {}, key_set().encode()), async_fetch={})
        self.proxy.wait_for(lambda: self.stats()["jwks_fetch_success"] > 0, "keys")
        before = self.keys.requests
        self.assert_passes(headers=bearer(token()))
        self.assertEqual(self.keys.requests, before)

    def test_a_failed_fetch_is_begun_again(self):
        left = [500, 500]

        def answer(_):
            return (left.pop() if left else 200), {}, key_set().encode()
        self.serve_remote(answer, async_fetch={"fast_listener": True, "failed_refetch_duration": "0.02s"})
        self.proxy.wait_for(lambda: self.stats()["jwks_fetch_success"] > 0, "keys")
        self.assert_passes(headers=bearer(token()))

    def test_of_a_second_requirement_that_needs_none(self):
        """Who waits for keys that are not needed any longer is let go."""
        answer, _ = self.held_answer()
        self.keys = PythonServer(answer)
        self.addCleanup(self.keys.close)
        uri = {"uri": "http://keys.test/", "cluster": "keys", "timeout": "60s"}
        self.serve(jwt_authn({"far": provider("far", remote_jwks={"http_uri": uri}), "near": provider("near", from_headers=[{"name": "x-near"}])},
                             [rule("/", {"requires_any": {"requirements": [named("far"), named("near")]}})]), clusters=[config.cluster("keys", self.keys.port)])
        self.assert_passes(headers={**bearer(token(iss="far")), "x-near": token(iss="near")})

    def test_a_client_that_does_not_wait(self):
        answer, let_go = self.held_answer()
        self.serve_remote(answer)
        with Http2Client(self.proxy.port) as client:
            client.begin("/", fields=list(bearer(token()).items()))
            self.proxy.wait_for(lambda: self.keys.requests == 1, "the fetch")
        let_go.set()
        self.assert_passes(headers=bearer(token()))


@inlay_only("requests that need the same keys wait for one fetch; in Envoy each fetches them itself")
class SharedFetch(Keys):
    def test_requests_wait_for_the_same_fetch(self):
        answer, let_go = self.held_answer()
        self.serve_remote(answer)
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(self.ask(headers=bearer(token())).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        self.proxy.wait_for(lambda: self.proxy.stats()["http.ingress.downstream_rq_active"] == 8, "eight requests")
        let_go.set()
        for thread in threads:
            thread.join()
        self.assertEqual((statuses, self.keys.requests), ([200] * 8, 1))


if __name__ == "__main__":
    unittest.main()
