# SPDX-License-Identifier: Apache-2.0
"""header_augmenting_lean.wasm, the smaller of the filter's modules: it does the main job, and says what it lacks."""

from support import config
from support.both import in_envoy_too
from support.origins import Echo, Provider, all_workers_answer, echoed
from support.processes import TestCase, filter_module, wait_until

LEAN = "header_augmenting_lean.wasm"


@in_envoy_too
class Lean(TestCase):
    def bootstrap(self, **keys):
        self.echo = self.start(Echo(self.directory))
        self.provider = self.start(Provider(self.directory))
        return config.bootstrap([config.cluster("origin", self.echo.port), config.cluster("provider", self.provider.port)],
                                [config.augmenter(module=filter_module(LEAN), **keys)])

    def test_every_request_carries_the_headers(self):
        proxy = self.start_proxy(self.bootstrap())
        seen = wait_until(lambda: all_workers_answer(proxy.port) and echoed(proxy.port)["headers"], "headers")
        self.assertRegex(seen["authorization"], r"^Bearer \d+\.[0-9a-f]{16}$")
        self.assertEqual(self.provider.polls(), int(seen["x-token-number"]))

    def test_what_it_lacks_is_refused_by_name(self):
        proxy = self.launch_proxy(self.bootstrap(when_missing={"action": "hold"}))
        self.assertNotEqual(proxy.wait(), 0)
        self.assertIn("configuration: when_missing.action: found the value, which header_augmenting_lean.wasm lacks, "
                      "expected header_augmenting.wasm, which has it", proxy.log())
