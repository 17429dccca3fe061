# SPDX-License-Identifier: Apache-2.0
"""Envoy's own filters that the header-augmenting filter is measured beside."""

from support import config
from support.envoy import Envoy, needs_envoy
from support.envoy_filters import credential_injector, credential_secrets, lua
from support.origins import Echo, echoed
from support.processes import TestCase


@needs_envoy()
class Measured(TestCase):
    KIND = Envoy

    def test_what_the_filter_is_measured_beside_sets_the_same_headers(self):
        echo = self.start(Echo(self.directory))
        headers = {"authorization": "Bearer 1", "x-api-key": "2"}
        for name, filters in {"credential_injector": credential_injector(headers), "lua": [lua(headers)]}.items():
            with self.subTest(name):
                bootstrap = config.bootstrap([config.cluster("origin", echo.port)], filters)
                bootstrap["static_resources"]["secrets"] = credential_secrets(headers)
                seen = echoed(self.start_proxy(bootstrap).port, headers={"authorization": "forged"})["headers"]
                self.assertEqual({name: seen[name] for name in headers}, headers)
