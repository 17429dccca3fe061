# SPDX-License-Identifier: Apache-2.0
"""Proxies that are no sidecars: Istio's gateways, and the waypoints of ambient."""

import json
import os

from mesh.world import ISTIOD, SDS_SOCKET, MeshCase, Sidecar, node_of, pod, send, service, with_pod
from support.certificates import Authority
from support.envoy import Envoy, needs_envoy

GATEWAY = "10.1.0.9"
PAYMENTS = service("payments", 8081, address="10.96.0.10")
LEDGER = service("ledger", 8081, address="10.96.0.11")
OUTSIDE = [{"name": "header-provider", "outside": {"host": "idp.example.com", "port": 8082, "tls": False}}]


def resource(kind, name, spec, version="networking.istio.io/v1", namespace="shop", **metadata):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace, **metadata}, "spec": spec}


@needs_envoy()
class IstiosGateway(MeshCase):
    """One that leads to payments and to ledger: only requests to the destination get headers."""

    def check(self, attach):
        self.render(self.values(services=OUTSIDE, workload={"name": "edge", "labels": {"istio": "edge"}},
                                istio={"proxy": "gateway", "attach": attach}), targets=("istio",))
        self.origin(8082, lambda _: b'{"authorization": "Bearer 1.outside"}')
        self.origin(8081)
        route = {f"{name}.example.com": name for name in ("payments", "ledger")}
        self.start_istiod([
            *with_pod(PAYMENTS, "10.1.0.6"), *with_pod(LEDGER, "10.1.0.8"), pod("edge", GATEWAY, {"istio": "edge"}),
            resource("Gateway", "edge", {"selector": {"istio": "edge"}, "servers": [
                {"port": {"number": 8080, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}),
            *(resource("VirtualService", name, {"hosts": [host], "gateways": ["edge"], "http": [
                {"route": [{"destination": {"host": f"{name}.shop.svc.cluster.local", "port": {"number": 8081}}}]}]})
              for host, name in route.items())])
        self.sidecar = self.start(Sidecar(self.directory, node_of("router", "edge", address=GATEWAY, labels={"istio": "edge"})))
        self.until_augmented(GATEWAY, 8080, "payments.example.com", source="10.3.0.1")
        other = send(GATEWAY, 8080, "ledger.example.com", source="10.3.0.1")
        self.assertEqual((other.status, other.authorization), (200, None))
        self.assertEqual(self.findings()[0], 0)

    def test_traffic_extension(self):
        self.check("TrafficExtension")

    def test_wasm_plugin(self):
        self.check("WasmPlugin")

    def test_envoy_filter(self):
        self.check("EnvoyFilter")


@needs_envoy()
class Waypoint(MeshCase):
    """What istiod makes for it: Envoy takes it, and the plugin is in it, with rules for the clusters that a waypoint has."""

    def test_traffic_extension(self):
        if Envoy.is_before("1.37"):
            self.skipTest("Envoy before 1.37 does not know a field of the tags that istiod has waypoints trace with")
        self.refusals = True
        self.render(self.values(services=OUTSIDE, workload={"name": "waypoint"}, istio={"proxy": "waypoint"}), targets=("istio",))
        labelled = {**PAYMENTS, "metadata": {**PAYMENTS["metadata"], "labels": {"istio.io/use-waypoint": "waypoint"}}}
        labels = {"gateway.networking.k8s.io/gateway-name": "waypoint", "gateway.istio.io/managed": "istio.io-mesh-controller"}
        gateway = resource("Gateway", "waypoint", {"gatewayClassName": "istio-waypoint", "listeners": [
            {"name": "mesh", "port": 15008, "protocol": "HBONE"}]}, version="gateway.networking.k8s.io/v1")
        gateway["status"] = {"addresses": [{"type": "IPAddress", "value": "10.96.0.50"}]}
        # Two filters of HTTP that only Istio's own Envoy has.
        without = resource("EnvoyFilter", "stock-envoy", {
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}], "configPatches": [
                {"applyTo": "HTTP_FILTER", "patch": {"operation": "REMOVE"}, "match": {"context": "SIDECAR_INBOUND", "listener": {
                    "filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager", "subFilter": {"name": name}}}}}}
                for name in ("waypoint_downstream_peer_metadata", "waypoint_upstream_peer_metadata")]}, version="networking.istio.io/v1alpha3")
        self.start_istiod([without, labelled, *with_pod(PAYMENTS, "10.1.0.6")[1:], pod("waypoint", GATEWAY, labels), gateway,
                           service("waypoint", 15008, selector=labels, address="10.96.0.50")],
                          environment={"PILOT_ENABLE_AMBIENT": "true"})
        authority = Authority(self.directory, "root")
        certificate, key = authority.issue("waypoint", "URI:spiffe://cluster.local/ns/shop/sa/waypoint")
        self.start_program("secrets", [ISTIOD, "secrets", "-cert", certificate, "-key", key, "-root", authority.certificate]).wait_for(
            lambda: os.path.exists(os.path.join(self.directory, SDS_SOCKET)), "its socket")
        self.sidecar = self.start(Sidecar(self.directory, node_of("waypoint", "waypoint", address=GATEWAY, labels=labels)))
        self.sidecar.wait_for(self.main_internal, "the listener in which plugins stand")
        listener = json.dumps(self.main_internal())
        self.assertIn("extensions.istio.io/trafficextension/shop.header-augmenting", listener)
        # The route's cluster is the one that the rule names, and the provider's cluster is there.
        rule = "inbound-vip|8081|http|payments.shop.svc.cluster.local"
        self.assertIn(rule, listener)
        clusters = self.sidecar.admin("/clusters")
        self.assertIn(f"{rule}::", clusters)
        self.assertIn("header-provider::", clusters)
        self.sidecar.wait_for(lambda: "ecds_filters" in self.sidecar.admin("/config_dump"), "the plugin")
        with open(self.rendered("traffic-extension.yaml")) as file:
            self.assertIn(f"cluster: '{rule}'", file.read())
        # What is before and behind it, the tunnels of ambient, needs objects of Istio's own Envoy; of what is ours nothing is refused.
        for line in self.istiod.refused():
            self.assertRegex(line, r"listener\(s\) (connect_terminate|inner_connect_originate): ")
            self.assertNotRegex(line, "main_internal|header")

    def main_internal(self):
        """The listener main_internal that Envoy runs; None before."""
        dump = json.loads(self.sidecar.admin("/config_dump") or "{}")
        found = [one for part in dump.get("configs", []) for one in part.get("dynamic_listeners", [])
                 if one.get("name") == "main_internal" and "active_state" in one]
        return found[0] if found else None
