# SPDX-License-Identifier: Apache-2.0
"""Each way to attach the plugin, in each direction, with each kind of provider: the header is at the destination."""

import unittest

from mesh.world import MeshCase, OTHER_CLIENT, POD, endpoints, send, service, with_pod
from support.envoy import needs_envoy

ATTACHMENTS = "EnvoyFilter", "WasmPlugin", "TrafficExtension"
PAYMENTS = service("payments", 8081, address="10.96.0.10")


@needs_envoy()
class Outbound(MeshCase):
    def check(self, attach):
        self.render(self.values(istio={"attach": attach}))
        self.provider()
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        answer = self.until_augmented("10.96.0.10", 8081, "payments.shop.svc.cluster.local:8081")
        self.assertRegex(answer.authorization, r"^Bearer 1\.")

    def test_envoy_filter(self):
        self.check("EnvoyFilter")


if __name__ == "__main__":
    unittest.main()
