# SPDX-License-Identifier: Apache-2.0
"""Inlay in the real Envoy, as a dynamic module that loads filters."""

from support import config
from support.dynamic_module import loads, needs_library
from support.envoy import Envoy, needs_envoy
from support.origins import Echo, Provider, all_workers_answer, echoed
from support.processes import TestCase, filter_module, wait_until
from support.wire import request

PUPPET = "puppet_0_2_1.wasm"


class InEnvoy(TestCase):
    KIND = Envoy

    def start_filters(self, *filters, clusters=(), **options):
        self.echo = self.start(Echo(self.directory))
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port), *clusters], filters), **options)

    def puppet(self, *script, **fields):
        """A filter that does in each callback what its script says (conformance/README.md)."""
        return loads(self.directory, filter_module(PUPPET), configuration="\n".join(script), **fields)

    def start_puppet(self, *script, clusters=(), concurrency=1, **fields):
        self.start_filters(self.puppet(*script, **fields), clusters=clusters, concurrency=concurrency)


@needs_envoy()
@needs_library()
class Streams(InEnvoy):
    def test_headers_are_changed_both_ways(self):
        self.start_puppet("on request_headers: set req x-new 1; add req x-more 2; remove req x-gone; set req x-old changed",
                          "on response_headers: set resp x-answer yes; remove resp content-type")
        seen = echoed(self.proxy.port, headers={"x-gone": "1", "x-old": "first", "x-more": "1"})["headers"]
        self.assertEqual({name: seen.get(name) for name in ("x-new", "x-more", "x-gone", "x-old")},
                         {"x-new": "1", "x-more": ["1", "2"], "x-gone": None, "x-old": "changed"})
        answer = request(self.proxy.port)
        self.assertEqual((answer.get("x-answer"), answer.get("content-type")), ("yes", None))

    def test_a_local_reply(self):
        self.start_puppet('on request_headers path=/no: reply 403 "not for you" x-why=because')
        answer = request(self.proxy.port, "/no")
        self.assertEqual((answer.status, answer.body, answer.get("x-why")), (403, b"not for you", "because"))
        self.assertEqual(request(self.proxy.port, "/yes").status, 200)

    def test_a_trap_ends_the_request_and_no_other(self):
        self.start_puppet("on request_headers path=/trap: trap", failure_policy="FAIL_RELOAD")
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual(request(self.proxy.port, "/trap").status, 503)
        wait_until(lambda: request(self.proxy.port).status == 200, "the VM made anew")
        self.assertIn("unreachable executed", self.proxy.log())

    def test_a_plugin_that_fails_open(self):
        self.start_puppet("on request_headers path=/trap: trap", failure_policy="FAIL_OPEN")
        self.assertEqual(request(self.proxy.port, "/trap").status, 200)
        self.assertEqual(request(self.proxy.port).status, 200)

    def test_a_call_holds_the_request_until_it_is_answered(self):
        provider = self.start(Provider(self.directory))
        self.start_puppet("on request_headers: call provider /headers; return pause",
                          "on http_call_response: effective stream; set req x-called yes; resume req",
                          clusters=[config.cluster("provider", provider.port)])
        self.assertEqual(echoed(self.proxy.port)["headers"].get("x-called"), "yes")


@needs_envoy()
@needs_library()
class Augmenting(InEnvoy):
    def test_the_filter_fetches_its_headers_and_sets_them_on_each_worker(self):
        provider = self.start(Provider(self.directory))
        keys = {"header_providing_service_cluster": "provider", "header_providing_service_authority": "provider.test",
                "header_cache_expiry": "360s"}
        augmenter = loads(self.directory, filter_module(), name="header_augmenting", vm_id="augmenter", configuration=keys)
        self.start_filters(augmenter, clusters=[config.cluster("provider", provider.port)], concurrency=2)
        wait_until(lambda: all_workers_answer(self.proxy.port) and "authorization" in echoed(self.proxy.port)["headers"],
                   "headers")
        seen = echoed(self.proxy.port, headers={"authorization": "forged"})["headers"]
        self.assertRegex(seen["authorization"], r"^Bearer 1\.[0-9a-f]{16}$")
        self.assertEqual(provider.polls(), 1)
        self.assertEqual(self.proxy.end(), 0)
