# SPDX-License-Identifier: Apache-2.0
"""Whom a token goes to, and where requests pass the plugin at all."""

from mesh.world import API, OTHER_CLIENT, POD, STRANGER, MeshCase, endpoints, send, service, with_pod
from support.envoy import needs_envoy

PAYMENTS = service("payments", 8081, address="10.96.0.10")
LEDGER = service("ledger", 8081, address="10.96.0.11")
PAYMENTS_HOST = "payments.shop.svc.cluster.local:8081"


@needs_envoy()
class TokenReach(MeshCase):
    """A listener of the mesh takes each request to its port."""

    def run_mesh(self):
        self.provider()
        self.origin(8081)
        self.start_mesh([*with_pod(PAYMENTS, "10.1.0.6"), *with_pod(LEDGER, "10.1.0.8")])
        self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST)

    def others(self):
        """What a stranger's host, and another service of that port, see."""
        return send(STRANGER, 8081, "evil.example"), send("10.96.0.11", 8081, "ledger.shop.svc.cluster.local:8081")

    def check_only_the_destination(self, attach):
        self.render(self.values(istio={"attach": attach, "sidecar": False}))
        self.run_mesh()
        for answer in self.others():
            self.assertEqual((answer.status, answer.authorization), (200, None))
        for host in ("payments", "payments.shop", "payments.shop.svc", "payments.shop.svc.cluster.local", PAYMENTS_HOST):
            self.assertTrue(send("10.96.0.10", 8081, host).authorization, host)

    def test_only_the_destination_gets_it_by_envoy_filter(self):
        self.check_only_the_destination("EnvoyFilter")

    def test_only_the_destination_gets_it_by_wasm_plugin(self):
        self.check_only_the_destination("WasmPlugin")

    def test_only_the_destination_gets_it_by_traffic_extension(self):
        self.check_only_the_destination("TrafficExtension")

    def test_with_the_rendered_sidecar_others_are_not_reached(self):
        self.render(self.values())
        self.run_mesh()
        for answer in self.others():
            self.assertEqual(answer.status, 502)

    def test_without_rules_every_host_of_the_port_gets_it_and_the_check_says_so(self):
        """What `token-reach` is about: somebody has taken the rules out by hand."""
        self.render(self.values(istio={"sidecar": False}))
        path = self.rendered("traffic-extension.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text[:text.index("      rules:")] if "      rules:" in text else text[:text.index("    rules:")])
        self.run_mesh()
        for answer in self.others():
            self.assertRegex(answer.authorization or "", r"^Bearer 1\.")
        self.assertEqual(self.findings(), (1, [("error", "token-reach")]))

    def test_a_virtual_service_that_sends_to_a_subset(self):
        """Another cluster: it gets headers where the values name the subset, else none."""
        rule = {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "p", "namespace": "shop"},
                "spec": {"host": "payments.shop.svc.cluster.local", "subsets": [{"name": "v2", "labels": {"app": "payments"}}]}}
        route = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "p", "namespace": "shop"},
                 "spec": {"hosts": ["payments.shop.svc.cluster.local"], "http": [
                     {"match": [{"uri": {"prefix": "/v2"}}], "route": [{"destination": {"host": "payments.shop.svc.cluster.local", "subset": "v2"}}]},
                     {"route": [{"destination": {"host": "payments.shop.svc.cluster.local"}}]}]}}
        destination = {"host": "payments", "port": 8081}
        for subsets, wanted in ((None, False), (["v2"], True)):
            with self.subTest(subsets=subsets):
                self.render(self.values(traffic={"direction": "outbound", "destinations": [
                    {**destination, **({"subsets": subsets} if subsets else {})}]}))
                self.provider()
                origin = self.origin(8081)
                self.start_mesh([*with_pod(PAYMENTS, "10.1.0.6"), rule, route])
                self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST)
                answer = send("10.96.0.10", 8081, PAYMENTS_HOST, path="/v2")
                self.assertEqual((answer.status, answer.authorization is not None), (200, wanted))
                self.end_mesh()
                origin.close()


@needs_envoy()
class Listeners(MeshCase):
    """istiod makes listeners for what it knows: a plugin stands in no others, and nothing says so."""

    def inbound(self, objects):
        self.provider()
        self.origin(8090)
        self.start_mesh(objects)

    def inbound_values(self, **workload):
        return self.values(traffic={"direction": "inbound"}, workload={"name": "orders", "port": 8090, **workload})

    def test_inbound_without_a_service_there_is_no_header_and_the_check_says_so(self):
        notes = self.render(self.inbound_values(image="example.com/orders:1", service=False))
        self.assertIn("only where a Service selects the pods and has 8090 as its targetPort", notes)
        self.inbound([])
        # The plugin's cluster is there, and the pod answers: only the listener has no plugin.
        for _ in range(20):
            answer = send(POD, 8090, "orders:8090", source=OTHER_CLIENT)
            self.assertEqual((answer.status, answer.authorization), (200, None))
        self.assertNotIn("header_augmenting", self.sidecar.admin("/config_dump").replace("extensions.istio.io/trafficextension", ""))
        self.assertEqual(self.findings(), (1, [("error", "missing-service")]))

    def test_inbound_with_a_service_of_another_port(self):
        """The Service's port is 80, and leads to the pod's 8090."""
        self.render(self.inbound_values())
        before = service("orders", 80, 8090)
        self.inbound([before, endpoints(before, POD)])
        self.assertTrue(self.until_augmented(POD, 8090, "orders", source=OTHER_CLIENT))

    def test_a_port_that_is_named_for_another_protocol(self):
        """`port-name`: istiod believes the name; without one it looks at what comes."""
        for port_name, wanted in (("tcp-pay", False), ("", True)):
            with self.subTest(port_name):
                self.render(self.values())
                self.provider()
                origin = self.origin(8081)
                payments = service("payments", 8081, port_name=port_name, address="10.96.0.10")
                self.start_mesh(with_pod(payments, "10.1.0.6"))
                if wanted:
                    self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST)
                else:
                    for _ in range(20):
                        answer = send("10.96.0.10", 8081, PAYMENTS_HOST)
                        self.assertEqual((answer.status, answer.authorization), (200, None))
                self.end_mesh()
                origin.close()

    def outside_values(self, **istio):
        return self.values(traffic={"direction": "outbound", "destinations": [{"host": "api.example.com", "port": 80}]}, istio=istio)

    def test_a_destination_outside_of_the_mesh_gets_its_service_entry(self):
        for attach in ("EnvoyFilter", "TrafficExtension"):
            with self.subTest(attach):
                notes = self.render(self.outside_values(attach=attach))
                self.assertIn("the ServiceEntry makes it one of protocol HTTP on port 80", notes)
                self.assertEqual([line for line in self.analyze() if line.startswith("Error")], [])
                self.assertEqual(self.findings()[0], 0)
                self.provider()
                origin = self.origin(80)
                self.start_mesh()
                self.until_augmented(API, 80, "api.example.com")
                self.end_mesh()
                origin.close()

    def test_without_the_service_entry_there_is_no_header_and_the_check_says_so(self):
        self.render(self.outside_values(service_entry=False, sidecar=False))
        self.provider()
        self.origin(80)
        self.start_mesh()
        for _ in range(20):
            answer = send(API, 80, "api.example.com")
            self.assertEqual((answer.status, answer.authorization), (200, None))
        self.assertEqual(self.findings(), (1, [("error", "missing-service-entry")]))
