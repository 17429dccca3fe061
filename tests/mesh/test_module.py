# SPDX-License-Identifier: Apache-2.0
"""Where the module comes from, and what happens while it is missing, or when the plugin's configuration changes."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import threading

from mesh.world import OTHER_CLIENT, POD, MeshCase, endpoints, send, service, with_pod
from support.envoy import needs_envoy
from support.processes import filter_module, wait_until
from support.registry import push_filter

PAYMENTS = service("payments", 8081, address="10.96.0.10")
PAYMENTS_HOST = "payments.shop.svc.cluster.local:8081"


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Module(MeshCase):
    def requests_get_headers(self, **options):
        self.provider()
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"), **options)
        return self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST)


@needs_envoy()
class Sources(Module):
    def test_a_config_map(self):
        """What `kubectl kustomize` makes of the folder holds the module byte for byte; the proxy runs those bytes."""
        if not shutil.which("kubectl"):
            self.skipTest("there is no kubectl")
        self.render(self.values())
        folder = os.path.dirname(self.rendered("deployment.yaml"))
        made = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=True).stdout
        text = re.search(r"^  header_augmenting\.wasm: \|\n((?:    .*\n)+)", made, re.M)[1]
        with open(self.mounted, "wb") as file:
            file.write(base64.b64decode("".join(text.split())))
        self.assertEqual(read(self.mounted), read(filter_module()))
        self.requests_get_headers()

    def http_module(self):
        module = read(filter_module())
        self.origin(8000, lambda _: module)
        return {"http": "http://modules.example.com:8000/filter.wasm", "sha256": hashlib.sha256(module).hexdigest()}

    def test_http_by_envoy_itself(self):
        self.render(self.values(module=self.http_module(), istio={"attach": "EnvoyFilter"}))
        self.requests_get_headers()
        self.assertIn("Wasm remote code fetch is unstable and may cause a crash", self.sidecar.log())

    def test_http_by_pilot_agent(self):
        self.render(self.values(module=self.http_module()))
        self.requests_get_headers(agent=True)
        self.assertNotIn("remote code fetch", self.sidecar.log())

    def pull(self, form):
        """The image as `inlay package` makes it and skopeo pushes it, pulled by pilot-agent by its digest."""
        self.render(self.values(module={"oci": push_filter(self, form)}))
        self.requests_get_headers(agent=True)
        cached = [os.path.join(folder, name) for folder, _, names in os.walk("/var/lib/istio/data") for name in names]
        self.assertIn(hashlib.sha256(read(filter_module())).hexdigest(), {hashlib.sha256(read(path)).hexdigest() for path in cached})

    def test_oci_by_pilot_agent(self):
        self.pull("compat")

    def test_oci_artifact_by_pilot_agent(self):
        self.pull("artifact")

    def test_a_pull_secret_that_is_not_there_denies_all(self):
        self.render(self.values(module={"oci": "oci://127.0.0.1:1/filter@sha256:" + "a" * 64, "pull_secret": "none"}))
        self.provider()
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"), agent=True)
        answer = wait_until(lambda: (lambda got: got if got.status else None)(send("10.96.0.10", 8081, PAYMENTS_HOST)), "an answer")
        self.assertEqual((answer.status, answer.body), (403, "RBAC: access denied"))


@needs_envoy()
class Missing(Module):
    """The module's file is not there when the proxy starts: the table in docs/guide/deploy.md."""

    def setUp(self):
        super().setUp()
        self.refusals = True
        os.remove(self.mounted)

    def outbound(self, attach, policy, sidecar=False):
        values = self.values(istio={"attach": attach, "sidecar": sidecar})
        values["plugin"]["failure_policy"] = policy
        self.render(values)
        self.provider()
        origin = self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        kind = "LDS" if attach == "EnvoyFilter" else "ECDS"
        self.istiod.wait_for(lambda: f"ADS:{kind}: ACK ERROR" in self.istiod.log(), "the refusal")
        self.assertRegex(self.istiod.log(), r"ACK ERROR.*Invalid path: /var/local/wasm/header_augmenting.wasm")
        if kind == "ECDS":  # the listener is good, and only its plugin is not
            wait_until(lambda: "_8081::" in self.sidecar.admin("/listeners"), "the listener of the port")
        answer = self.settled("10.96.0.10", 8081, PAYMENTS_HOST, reached=not sidecar)
        self.end_mesh()
        origin.close()
        return answer.status, answer.authorization, "" if answer.seen else answer.body

    def settled(self, *arguments, reached=True):
        """The answer once the listeners are as they will be: the virtual one is there, and the refused ones have been refused. A listener that
        is listed takes connections a moment later; with reached=False none is to take them."""
        wait_until(lambda: "15001" in self.sidecar.admin("/listeners"), "the virtual listener")
        if reached:
            wait_until(lambda: send(*arguments).status != 0, "an answer")
        return send(*arguments)

    def test_envoy_filter_lets_requests_pass_without_headers(self):
        for policy in ("FAIL_CLOSED", "FAIL_OPEN"):
            self.assertEqual(self.outbound("EnvoyFilter", policy), (200, None, ""), policy)

    def test_envoy_filter_with_the_rendered_sidecar_lets_nothing_pass(self):
        self.assertEqual(self.outbound("EnvoyFilter", "FAIL_CLOSED", sidecar=True)[0], 0)

    def test_traffic_extension_answers_500(self):
        for policy in ("FAIL_CLOSED", "FAIL_OPEN"):
            self.assertEqual(self.outbound("TrafficExtension", policy), (500, None, ""), policy)

    def test_wasm_plugin_answers_500(self):
        self.assertEqual(self.outbound("WasmPlugin", "FAIL_CLOSED"), (500, None, ""))

    def inbound(self, attach):
        self.render(self.values(istio={"attach": attach}, traffic={"direction": "inbound"},
                                workload={"name": "orders", "image": "example.com/orders:1", "port": 8090}))
        self.provider()
        self.origin(8090)
        self.origin(8091)
        other = service("other", 8091, selector={"app": "orders"})
        self.start_mesh([endpoints(service("orders", 8090), POD), other, endpoints(other, POD)])
        kind = "LDS" if attach == "EnvoyFilter" else "ECDS"
        self.istiod.wait_for(lambda: f"ADS:{kind}: ACK ERROR" in self.istiod.log(), "the refusal")
        self.settled("10.96.0.10", 1, reached=False)
        if kind == "ECDS":
            wait_until(lambda: send(POD, 8090, "orders", source=OTHER_CLIENT).status, "an answer")
        return [send(POD, port, "orders", source=OTHER_CLIENT).status for port in (8090, 8091)]

    def test_envoy_filter_inbound_makes_the_pod_unreachable(self):
        self.assertEqual(self.inbound("EnvoyFilter"), [0, 0])

    def test_traffic_extension_inbound_answers_500_on_its_port_only(self):
        self.assertEqual(self.inbound("TrafficExtension"), [500, 200])


@needs_envoy()
class Changes(Module):
    """The plugin's configuration changes while requests come, and the new source takes its time."""

    def run_change(self, attach, hold=False):
        values = self.values(istio={"attach": attach})
        if hold:
            values["plugin"]["configuration"] = {"when_missing": {"action": "hold"}, "sources": [
                {"name": "idp", "cluster": "${cluster:header-provider}", "authority": "idp", "path": "/headers"}]}
        self.render(values)
        asked, free = threading.Event(), threading.Event()

        def answer(handler):
            if handler.path != "/headers":
                asked.set()
                free.wait(30)
            return b'{"authorization": "Bearer 1.%s"}' % (b"old" if handler.path == "/headers" else b"new")
        self.origin(8082, answer)
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST)
        name = "envoy-filter.yaml" if attach == "EnvoyFilter" else "traffic-extension.yaml"
        self.istiod.update(lambda: self.edit(name, "/headers", "/new"))
        self.assertTrue(asked.wait(30))
        return free

    def test_traffic_extension_answers_503_until_the_first_fetch(self):
        free = self.run_change("TrafficExtension")
        answer = wait_until(lambda: (lambda got: got if got.status == 503 else None)(send("10.96.0.10", 8081, PAYMENTS_HOST)), "503")
        self.assertEqual(answer.body, "the headers that this request needs are not available yet")
        free.set()
        self.assertEqual(self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST).authorization, "Bearer 1.new")

    def test_traffic_extension_with_hold_has_requests_wait(self):
        free = self.run_change("TrafficExtension", hold=True)
        answers = []
        sender = threading.Thread(target=lambda: answers.append(send("10.96.0.10", 8081, PAYMENTS_HOST)))
        sender.start()
        free.set()
        sender.join(30)
        self.assertEqual(answers[0].status, 200)
        self.assertRegex(answers[0].authorization, "^Bearer 1.(old|new)$")


@needs_envoy()
class Polls(Module):
    def test_one_a_start_whatever_the_number_of_workers(self):
        for attach in ("EnvoyFilter", "TrafficExtension"):
            with self.subTest(attach):
                asked, free = threading.Event(), threading.Event()

                def answer(_):
                    asked.set()
                    free.wait(30)
                    return b'{"authorization": "Bearer 1.x"}'
                self.render(self.values(istio={"attach": attach}))
                provider, origin = self.origin(8082, answer), self.origin(8081)
                self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"), concurrency=4)
                self.assertTrue(asked.wait(30))
                free.set()
                self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST)
                for _ in range(24):
                    self.assertEqual(send("10.96.0.10", 8081, PAYMENTS_HOST).status, 200)
                self.assertEqual(provider.requests, 1)
                self.end_mesh()
                provider.close()
                origin.close()


@needs_envoy()
class Words(Module):
    """The lines that docs/guide/deploy.md quotes of the proxy's log."""

    def log_has(self, words):
        self.sidecar.wait_for(lambda: words in self.sidecar.log(), words)
        wait_until(lambda: send("10.96.0.10", 8081, PAYMENTS_HOST).status == 503, "the filter's own answer")

    def test_a_cluster_that_is_missing(self):
        """The EnvoyFilter that adds it is not applied."""
        self.render(self.values())
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"),
                        files=[path for path in self.rendered_files if not path.endswith("envoy-filter.yaml")])
        self.log_has("the call could not be sent: there is no such cluster: header-provider")

    def test_a_name_that_does_not_resolve(self):
        self.render(self.values(services=[{"name": "header-provider", "outside": {"host": "none.example.com", "tls": False}}]))
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        self.log_has("the call could not be sent: no host of the cluster can be used (is one healthy, does its name resolve?): header-provider")
