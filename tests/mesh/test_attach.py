# SPDX-License-Identifier: Apache-2.0
"""Each way to attach the plugin, in each direction, with each kind of provider: the header is at the destination, Envoy takes all that istiod
makes of it, and `istioctl analyze` has no error."""

from mesh.world import OTHER_CLIENT, POD, MeshCase, endpoints, pod, service, with_pod
from support.certificates import Authority, server_context
from support.envoy import needs_envoy

PAYMENTS = service("payments", 8081, address="10.96.0.10")
TOKENS = {"name": "header-provider", "mesh": {"host": "tokens.shop.svc.cluster.local", "port": 8082, "image": "example.com/tokens:1"}}


class Attach(MeshCase):
    def no_errors(self, objects=()):
        messages = self.analyze(objects)
        self.assertEqual([line for line in messages if line.startswith("Error")], [])
        self.assertNotIn("IST0151", "".join(messages))

    def outbound(self, attach, objects=(), **values):
        self.render(self.values(istio={"attach": attach}, **values))
        self.provider()
        self.origin(8081)
        objects = [*with_pod(PAYMENTS, "10.1.0.6"), *objects]
        self.no_errors([PAYMENTS])
        self.start_mesh(objects)
        answer = self.until_augmented("10.96.0.10", 8081, "payments.shop.svc.cluster.local:8081")
        self.assertRegex(answer.authorization, r"^Bearer 1\.")
        self.assertEqual(self.findings()[0], 0)

    def inbound(self, attach, objects=(), **values):
        self.render(self.values(istio={"attach": attach}, traffic={"direction": "inbound"},
                                workload={"name": "orders", "image": "example.com/orders:1", "port": 8090}, **values))
        self.provider()
        self.origin(8090)
        self.no_errors()
        self.start_mesh([endpoints(service("orders", 8090), POD), *objects])
        answer = self.until_augmented(POD, 8090, "orders.shop.svc.cluster.local:8090", source=OTHER_CLIENT)
        self.assertRegex(answer.authorization, r"^Bearer 1\.")
        self.assertEqual(self.findings()[0], 0)


@needs_envoy()
class ProviderInThePod(Attach):
    def test_envoy_filter_outbound(self):
        self.outbound("EnvoyFilter")

    def test_wasm_plugin_outbound(self):
        self.outbound("WasmPlugin")

    def test_traffic_extension_outbound(self):
        self.outbound("TrafficExtension")

    def test_envoy_filter_inbound(self):
        self.inbound("EnvoyFilter")

    def test_wasm_plugin_inbound(self):
        self.inbound("WasmPlugin")

    def test_traffic_extension_inbound(self):
        self.inbound("TrafficExtension")


@needs_envoy()
class ProviderInTheMesh(Attach):
    """Its Service is rendered; its pod is at 10.1.0.7."""

    def provider(self):
        self.origin(8082, lambda _: b'{"authorization": "Bearer 1.of-the-mesh"}')

    PODS = [endpoints(service("tokens", 8082), "10.1.0.7"), pod("tokens", "10.1.0.7")]

    def test_envoy_filter_outbound(self):
        self.outbound("EnvoyFilter", self.PODS, services=[TOKENS])

    def test_wasm_plugin_outbound(self):
        self.outbound("WasmPlugin", self.PODS, services=[TOKENS])

    def test_traffic_extension_outbound(self):
        self.outbound("TrafficExtension", self.PODS, services=[TOKENS])

    def test_envoy_filter_inbound(self):
        self.inbound("EnvoyFilter", self.PODS, services=[TOKENS])

    def test_traffic_extension_inbound(self):
        self.inbound("TrafficExtension", self.PODS, services=[TOKENS])


@needs_envoy()
class ProviderOutside(Attach):
    """By DNS and TLS, its certificate checked against an authority that the values name."""

    def provider(self):
        authority = Authority("/var/local", "ca")
        self.origin(8443, lambda _: b'{"authorization": "Bearer 1.over-tls"}',
                    tls=server_context(*authority.issue("idp", "DNS:idp.example.com")))

    def service(self):
        return [{"name": "header-provider", "outside": {"host": "idp.example.com", "port": 8443, "ca": "/var/local/ca.pem"}}]

    def test_envoy_filter_outbound(self):
        self.outbound("EnvoyFilter", services=self.service())

    def test_traffic_extension_outbound(self):
        self.outbound("TrafficExtension", services=self.service())

    def test_traffic_extension_inbound(self):
        self.inbound("TrafficExtension", services=self.service())
