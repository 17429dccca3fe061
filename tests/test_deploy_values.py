# SPDX-License-Identifier: Apache-2.0
"""`inlay deploy render`: which files it makes of which values, and what it refuses."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from support.both import inlay_only
from support.deploy import EXAMPLES, TARGETS, DeployCase, read
from support.envoy import find_envoy
from support.processes import INLAY, ROOT


@inlay_only("a subcommand of Inlay's")
class Examples(DeployCase):
    def test_they_are_what_rendering_gives(self):
        """All but the module's checksum, which goes with the compiler, and the quotes that it has where it begins with a digit."""
        for target in TARGETS:
            folder = self.rendered(target)
            made = {name for name in os.listdir(folder) if name.endswith(".yaml")}
            kept = {name for name in os.listdir(os.path.join(EXAMPLES, target)) if name.endswith(".yaml")}
            self.assertEqual(made, kept, f"{target}: run scripts/deploy deploy/values.yaml deploy")
            for name in made:
                same = [re.sub(r"'?[0-9a-f]{64}'?", "CHECKSUM", read(place, name))
                        for place in (folder, os.path.join(EXAMPLES, target))]
                self.assertEqual(*same, f"{target}/{name}: run scripts/deploy deploy/values.yaml deploy")

    def test_the_same_values_give_the_same_bytes_and_nothing_of_the_machine(self):
        for target in TARGETS:
            folders = [self.rendered(target, folder=f"{target}-{i}") for i in range(2)]
            for name in os.listdir(folders[0]):
                first, second = (pathlib.Path(folder, name).read_bytes() for folder in folders)
                self.assertEqual(first, second, name)
                self.assertNotIn(self.directory.encode(), first, name)
                if name.endswith(".yaml"):
                    self.assertTrue(first.startswith(f"# Made by `inlay deploy render {target} -f values.yaml`".encode()))

    def check_all(self, values):
        """What scripts/deploy, which is `make deploy`, says: what it proved and what it had to skip."""
        environment = dict(os.environ, INLAY_BUILD=os.path.dirname(INLAY))
        done = subprocess.run([os.path.join(ROOT, "scripts", "deploy"), os.path.join(self.directory, values),
                               os.path.join(self.directory, "out")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment, timeout=600)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 0, text)
        self.assertRegex(text.splitlines()[-1], r"^deploy: 4 targets rendered from \S+, \d+ checks passed")
        return text

    def test_other_values_pass_as_well(self):
        """Inbound, a provider of the mesh that is rendered too, secrets, and each way to attach the plugin."""
        values = {
            "name": "tokens", "namespace": "shop", "module": {"file": "../build/header_augmenting.wasm"},
            "plugin": {"name": "augmenter", "failure_policy": "FAIL_OPEN", "configuration": {"sources": [{
                "name": "a", "cluster": "${cluster:tokens}", "path": "/headers",
                "request_headers": {"authorization": "Bearer ${env:CLIENT_SECRET}"}}]},
                "environment": [{"name": "CLIENT_SECRET", "secret": {"name": "idp", "key": "secret"}},
                                {"name": "NO", "value": "on"}]},
            "services": [{"name": "tokens", "mesh": {
                "host": "tokens.shop.svc.cluster.local", "port": 8081, "image": "example.com/tokens:1", "ready": "/ready",
                "environment": [{"name": "DB_PASSWORD", "secret": {"name": "db", "key": "password"}}]}}],
            "workload": {"name": "orders", "image": "example.com/orders:1", "port": 8090, "ready": "/ready"},
            "traffic": {"direction": "inbound"}}
        for attach in ("EnvoyFilter", "WasmPlugin", "TrafficExtension"):
            self.write("deploy/values.json", json.dumps({**values, "istio": {"attach": attach, "sidecar": True}}))
            text = self.check_all("deploy/values.json")
            if shutil.which("kubectl"):
                self.assertRegex(text, rf"istio: `kubectl create --dry-run=client` takes .*{attach.lower()}")
                self.assertIn("kubectl's types know every field of the Deployment tokens", text)

    def test_every_one_is_checked_by_the_tools_of_the_field(self):
        text = self.check_all("deploy/values.yaml")
        for tool, claim in ((shutil.which("kubectl"), "kubectl create --dry-run=client"), (find_envoy()[0], "envoy --mode validate")):
            if tool:
                self.assertRegex(text, rf"ok .*{claim}")
            else:
                self.assertIn("SKIPPED", text)


@inlay_only("a subcommand of Inlay's")
class Refusals(DeployCase):
    def check(self, text, target="istio"):
        self.write("deploy/wrong.yaml", text)
        status, out, err = self.render(target, values="deploy/wrong.yaml", folder="out")
        self.assertEqual(status, 1, out + err)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "out")), "something was written")
        return err

    def test_all_errors_in_one_run_with_their_places(self):
        text = read(EXAMPLES, "values.yaml").replace("${cluster:header-provider}", "${cluster:provider}")
        text = text.replace("port: 8082", "port: 99999").replace("failure_policy:", "failure_polcy:")
        err = self.check(text)
        for pattern in (r"deploy/wrong\.yaml:\d+:\d+: error: plugin\.configuration\.header_providing_service_cluster: no service "
                        r"is called `provider`", r"services\[0\]\.sidecar\.port: expected a port from 1 to 65535",
                        r"plugin\.failure_polcy: no such field in plugin; did you mean `failure_policy`\?",
                        r"3 errors in the values"):
            self.assertRegex(err, pattern)

    def test_what_the_plugin_refuses(self):
        err = self.check(read(EXAMPLES, "values.yaml").replace("header_cache_expiry: 360s", "header_cache_expiry: soon"))
        self.assertIn("header_cache_expiry", err)
        self.assertIn("unable to create Wasm plugin", err)

    def test_a_secret_is_not_printed(self):
        err = self.check(read(EXAMPLES, "values.yaml").replace("header_cache_expiry: 360s", "client_secret: hunter2"))
        self.assertIn("${env:CLIENT_SECRET}", err)
        self.assertNotIn("hunter2", err)

    def test_an_unknown_target_and_a_missing_file(self):
        status, _, err = self.render("isto")
        self.assertEqual(status, 2)
        self.assertIn("envoy, compose, kubernetes, istio", err)
        status, _, err = self.render("istio", values="deploy/none.yaml")
        self.assertEqual(status, 1)
        self.assertIn("deploy/none.yaml", err)

    def test_files_of_others_are_left_alone(self):
        os.makedirs(os.path.join(self.directory, "envoy"))
        self.write("envoy/envoy.yaml", "mine: true\n")
        status, _, err = self.render("envoy")
        self.assertEqual(status, 1)
        self.assertIn("--force", err)
        self.assertEqual(read(self.directory, "envoy", "envoy.yaml"), "mine: true\n")
        self.assertEqual(self.render("envoy", "--force")[0], 0)

    def test_check_says_what_differs(self):
        self.assertEqual(self.render("istio", "--check")[0], 1)
        self.rendered("istio")
        self.assertEqual(self.render("istio", "--check")[1], "istio: up to date\n")
        with open(os.path.join(self.directory, "istio", "sidecar.yaml"), "a") as file:
            file.write("    - 'by/hand'\n")
        status, out, _ = self.render("istio", "--check")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"^istio/sidecar\.yaml differs from line \d+ on\n$")


@inlay_only("a subcommand of Inlay's")
class OtherProxies(DeployCase):
    """Istio's gateways and waypoints, and Envoy Gateway; tests/mesh runs them."""

    def values(self, **more):
        return {"name": "tokens", "namespace": "shop", "module": {"oci": "oci://registry.example.com/filter@sha256:" + "a" * 64},
                "plugin": {"name": "augmenter", "configuration": {"sources": [{"name": "idp", "cluster": "${cluster:idp}"}]}},
                "services": [{"name": "idp", "outside": {"host": "login.example.com"}}],
                "workload": {"name": "edge"},
                "traffic": {"direction": "outbound", "destinations": [{"host": "payments", "port": 8081}]}, **more}

    def rendered_with(self, target, **more):
        self.write("deploy/values.json", json.dumps(self.values(**more)))
        return self.rendered(target, values="deploy/values.json")

    def test_a_gateway_is_selected_by_labels_and_a_waypoint_by_name(self):
        for proxy, word, other in (("gateway", "matchLabels", "targetRefs"), ("waypoint", "targetRefs", "matchLabels")):
            text = read(self.rendered_with("istio", istio={"proxy": proxy}), "traffic-extension.yaml")
            self.assertIn(word, text)
            self.assertNotIn(other, text)
            self.assertNotIn("ports:", text)
            self.assertEqual(self.inlay("deploy", "check", "istio")[0], 0)

    def test_envoy_gateway_gets_a_policy_for_its_routes(self):
        folder = self.rendered_with("gateway", gateway={"name": "public", "routes": ["payments"]})
        self.assertEqual(set(os.listdir(folder)), {"kustomization.yaml", "envoy-extension-policy.yaml", "envoy-patch-policy.yaml"})
        self.assertIn("cluster: idp", read(folder, "envoy-extension-policy.yaml"))
        self.assertEqual(self.inlay("deploy", "check", "gateway")[0], 0)


VALUES_AROUND = """\
name: tokens
namespace: shop
module: {file: ../build/header_augmenting.wasm}
plugin:
  name: header_augmenting
  configuration:
    sources:
    - {name: sa, cluster: "${cluster:files}", path: /sa, format: text, headers: {x-identity: "{text}"}}
    - {name: svid, cluster: "${cluster:spire}", format: jwt_svid, jwt_svid: {audience: payments}, headers: {authorization: "Bearer {text}"}}
workload: {name: orders, image: "example.com/orders:1"}
traffic: {direction: outbound, destinations: [{host: payments, port: 8081}]}
"""


@inlay_only("a subcommand of Inlay's")
class CredentialsOfAPod(DeployCase):
    """The services that docs/guide/workload_identity.md shows; tests/mesh runs them."""

    def setUp(self):
        super().setUp()
        page = read(ROOT, "docs", "guide", "workload_identity.md")
        self.write("deploy/values.yaml", VALUES_AROUND + re.search(r"^```yaml\n(services:\n.*?)^```$", page, re.M | re.S)[1])

    def test_what_is_mounted_is_what_the_proxy_answers_with(self):
        deployment = read(self.rendered("kubernetes"), "deployment.yaml")
        mounts = json.loads(re.search(r"userVolumeMount: '(.*)'$", deployment, re.M)[1])
        self.assertEqual(mounts["inlay-files"], {"mountPath": "/var/run/secrets/inlay/files", "readOnly": True})
        self.assertIn("inject.istio.io/templates: 'sidecar,spire'", deployment)
        folder = self.rendered("istio")
        envoy_filter = read(folder, "envoy-filter.yaml")
        for name in ("sa", "key"):
            self.assertIn(f"filename: /var/run/secrets/inlay/files/{name}\n", envoy_filter)
        self.assertIn("pipe: {path: /var/run/inlay/files.sock, mode: 384}", envoy_filter)
        self.assertIn("cluster: sds-grpc\n", read(folder, "traffic-extension.yaml"))
        self.assertEqual(self.inlay("deploy", "check", "deploy/values.yaml")[0], 0)

    def test_one_machine_has_no_such_files(self):
        status, _, err = self.render("envoy")
        self.assertEqual(status, 1)
        self.assertIn("it is the cluster that mounts them into a pod, and this target has none", err)


if __name__ == "__main__":
    unittest.main()
