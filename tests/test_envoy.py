# SPDX-License-Identifier: Apache-2.0
"""The filter as it ships, in the real Envoy; and the files that ship, as Envoy reads them."""

import glob
import os

from support import config
from support.envoy import Envoy, needs_envoy, validate
from support.envoy_filters import credential_injector, credential_secrets, lua
from support.origins import Echo, Provider, all_workers_answer, echoed
from support.processes import ROOT, TestCase, wait_until


class InEnvoy(TestCase):
    @needs_envoy()
    def test_every_request_carries_the_headers(self):
        echo = self.start(Echo(self.directory))
        provider = self.start(Provider(self.directory))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port), config.cluster("provider", provider.port)],
                                                  [config.augmenter()]), kind=Envoy)
        wait_until(lambda: all_workers_answer(proxy.port), "a first token")
        seen = {echoed(proxy.port)["headers"].get("authorization") for _ in range(20)}
        self.assertEqual(len(seen), 1)
        self.assertRegex(seen.pop(), r"^Bearer 1\.[0-9a-f]{16}$")
        self.assertEqual(provider.polls(), 1)

    @needs_envoy()
    def test_what_the_filter_is_measured_beside_sets_the_same_headers(self):
        echo = self.start(Echo(self.directory))
        headers = {"authorization": "Bearer 1", "x-api-key": "2"}
        for name, filters in {"credential_injector": credential_injector(headers), "lua": [lua(headers)]}.items():
            with self.subTest(name):
                bootstrap = config.bootstrap([config.cluster("origin", echo.port)], filters)
                bootstrap["static_resources"]["secrets"] = credential_secrets(headers)
                seen = echoed(self.start_proxy(bootstrap, kind=Envoy).port, headers={"authorization": "forged"})["headers"]
                self.assertEqual({name: seen[name] for name in headers}, headers)

    @needs_envoy()
    def test_envoy_takes_every_bootstrap_that_ships(self):
        files = ["filters/header_augmenting/envoy.yaml", *glob.glob("examples/**/*.yaml", root_dir=ROOT, recursive=True)]
        for file in files:
            if file.endswith(".istio.yaml"):
                continue  # resources of a mesh, no bootstrap
            with self.subTest(file):
                status, output = validate(os.path.join(ROOT, file))
                self.assertEqual(status, 0, output)
