# SPDX-License-Identifier: Apache-2.0
"""Requests that come back with an error: what the client sees, and what the access log says of it, as docs/guide/deploy.md has them."""

import re
import shutil
import subprocess

from mesh.world import STRANGER, MeshCase, send, service, with_pod
from support.envoy import needs_envoy
from support.processes import wait_until

PAYMENTS = service("payments", 8081, address="10.96.0.10")
PAYMENTS_HOST = "payments.shop.svc.cluster.local:8081"
TRAPS = """(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable))
"""


@needs_envoy()
class Answers(MeshCase):
    def start_with(self, objects, **values):
        self.render(self.values(**values))
        self.provider()
        self.start_mesh(objects)

    def logged(self, status, flags, details):
        """Waits for a line of the access log."""
        self.sidecar.wait_for(lambda: re.search(rf'" {status} {flags} {details} ', self.sidecar.log()), f"{status} {flags} {details}")

    def until(self, condition, *arguments):
        return wait_until(lambda: (lambda got: got if condition(got) else None)(send(*arguments)), "the answer")

    def test_a_destination_without_pods(self):
        self.start_with([PAYMENTS])
        answer = self.until(lambda got: got.body == "no healthy upstream", "10.96.0.10", 8081, PAYMENTS_HOST)
        self.assertEqual(answer.status, 503)
        self.logged(503, "UH", "no_healthy_upstream")

    def test_a_pod_that_does_not_listen(self):
        self.start_with(with_pod(PAYMENTS, "10.1.0.6"))
        self.until(lambda got: got.status == 503 and got.body.startswith("upstream connect error"), "10.96.0.10", 8081, PAYMENTS_HOST)
        self.logged(503, r"\S*UF", r"upstream_reset_before_response_started\S*")

    def test_a_route_to_a_cluster_that_is_missing(self):
        """A VirtualService that names a subset without a DestinationRule. istiod makes no such cluster, so that the filter has no rule for it."""
        route = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "p", "namespace": "shop"},
                 "spec": {"hosts": ["payments.shop.svc.cluster.local"], "http": [
                     {"route": [{"destination": {"host": "payments.shop.svc.cluster.local", "subset": "v9"}}]}]}}
        self.start_with([*with_pod(PAYMENTS, "10.1.0.6"), route])
        self.assertEqual(self.until(lambda got: got.status == 503, "10.96.0.10", 8081, PAYMENTS_HOST).body, "")
        self.logged(503, "NC", "cluster_not_found")

    def test_an_answer_of_the_destinations_own(self):
        self.origin(8081, status=500)
        self.start_with(with_pod(PAYMENTS, "10.1.0.6"))
        self.until(lambda got: got.status == 500, "10.96.0.10", 8081, PAYMENTS_HOST)
        self.logged(500, "-", "via_upstream")

    def test_a_host_that_the_sidecar_does_not_name(self):
        self.origin(9000)
        self.start_with(with_pod(PAYMENTS, "10.1.0.6"))

        def logged():
            self.assertEqual(send(STRANGER, 9000, "evil.example").status, 0)
            return "BlackHoleCluster" in self.sidecar.log()
        self.sidecar.wait_for(logged, "the cluster of it")

    def test_a_module_that_traps(self):
        if shutil.which("wat2wasm") is None:
            self.skipTest("there is no wat2wasm (scripts/bootstrap build)")
        for attach in ("EnvoyFilter", "TrafficExtension"):
            with self.subTest(attach):
                self.render(self.values(istio={"attach": attach}))
                subprocess.run(["wat2wasm", "-", "-o", self.mounted], input=TRAPS, text=True, check=True)
                self.provider()
                origin = self.origin(8081)
                self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
                answer = self.until(lambda got: got.status == 503, "10.96.0.10", 8081, PAYMENTS_HOST)
                self.assertEqual(answer.body, "")
                self.logged(503, "-", "wasm_fail_stream")
                self.end_mesh()
                origin.close()

    def test_a_configuration_that_the_plugin_refuses(self):
        """Rendering refuses it, so that somebody has changed it by hand. The proxy goes on as before: here, without a listener."""
        self.refusals = True
        self.render(self.values(istio={"attach": "EnvoyFilter", "sidecar": False}))
        self.edit("envoy-filter.yaml", "360s", "soon")
        self.provider()
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        self.istiod.wait_for(lambda: "ADS:LDS: ACK ERROR" in self.istiod.log(), "the refusal")
        self.assertIn("Unable to create Wasm plugin", self.istiod.log())
        answer = self.until(lambda got: got.status == 200, "10.96.0.10", 8081, PAYMENTS_HOST)
        self.assertEqual(answer.authorization, None)
