# SPDX-License-Identifier: Apache-2.0
"""Envoy Gateway in one network namespace, alone: it reads resources from a folder and runs an Envoy. scripts/gateway makes the namespace, in
which each address of 10.0.0.0/8 is this machine's, and a root in which Envoy finds Envoy Gateway's certificates at /certs.

What stands there by hand, since Envoy Gateway without Kubernetes does not make it: the Secret with those certificates, by which its proxies
ask it for modules, and its own name in /etc/hosts.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess

from mesh.world import Origin, send
from support.envoy import find_envoy, version
from support.processes import INLAY, ROOT, Program, TestCase, filter_module, started, wait_until

BUILT = os.path.join(ROOT, "build", "gateway")
PORT, ADMIN_PORT = 8888, 15000
CLIENT = "10.9.0.1"

nacks = 0  # of all tests

CONFIGURATION = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
provider:
  type: Custom
  custom:
    resource: {{type: File, file: {{paths: ['{folder}']}}}}
    infrastructure:
      type: Host
      host: {{configHome: '{built}/home', dataHome: '{directory}/data', stateHome: '{directory}/state', runtimeDir: '{directory}/run'}}
logging: {{level: {{default: info}}}}
extensionApis: {{enableBackend: true, enableEnvoyPatchPolicy: {patches}}}
"""


def resource(version_of_api, kind, name, spec, namespace="shop", **others):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version_of_api, "kind": kind, "metadata": metadata, **({"spec": spec} if spec else {}), **others}


def certificates():
    """What Envoy Gateway's proxies show it."""
    folder, data = os.path.join(BUILT, "home", "certs", "envoy"), {}
    for name in ("ca.crt", "tls.crt", "tls.key"):
        with open(os.path.join(folder, name), "rb") as file:
            data[name] = base64.b64encode(file.read()).decode()
    return resource("v1", "Secret", "envoy", None, "envoy-gateway-system", type="kubernetes.io/tls", data=data)


def gateway(name="public"):
    """A Gateway, its class, and how its Envoy is run: the one that the tests run in, with its admin interface at ADMIN_PORT."""
    admin = json.dumps({"admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": ADMIN_PORT}}}})
    proxy = {"provider": {"type": "Host", "host": {"envoyVersion": version()}}, "bootstrap": {"type": "Merge", "value": admin},
             "logging": {"level": {"default": "warn"}}}
    refers = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "proxy", "namespace": "envoy-gateway-system"}
    return [
        resource("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy", "proxy", proxy, "envoy-gateway-system"),
        resource("gateway.networking.k8s.io/v1", "GatewayClass", "envoy",
                 {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller", "parametersRef": refers}, None),
        resource("gateway.networking.k8s.io/v1", "Gateway", name,
                 {"gatewayClassName": "envoy", "listeners": [{"name": "http", "protocol": "HTTP", "port": PORT}]})]


def route(name, address, port, gateway_name="public"):
    """An HTTPRoute of NAME.example.com, to a Backend: of Services' endpoints Envoy Gateway without Kubernetes reads none."""
    backend = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name}
    return [
        resource("gateway.envoyproxy.io/v1alpha1", "Backend", name, {"endpoints": [{"ip": {"address": address, "port": port}}]}),
        resource("gateway.networking.k8s.io/v1", "HTTPRoute", name, {
            "parentRefs": [{"name": gateway_name}], "hostnames": [f"{name}.example.com"], "rules": [{"backendRefs": [backend]}]})]


class EnvoyGateway(Program):
    def __init__(self, directory, folder, patches=True, environment=None):
        started["envoy"] += 1
        envoy = os.path.join(directory, "data", "envoy-versions", version(), "bin", "envoy")
        os.makedirs(os.path.dirname(envoy))
        os.symlink(find_envoy()[0], envoy)
        path = os.path.join(directory, "envoy-gateway.yaml")
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(folder=folder, built=BUILT, directory=directory, patches=str(patches).lower()))
        super().__init__("envoy-gateway", [os.path.join(BUILT, "envoy-gateway"), "server", "--config-path", path], directory,
                         {"HOME": directory, **(environment or {})})

    def refused(self):
        """What Envoy did not take, a line each."""
        return re.findall(r".*Envoy rejected the last update.*", self.log())

    def admin(self, path):
        answer = send("127.0.0.1", ADMIN_PORT, path=path, source="127.0.0.1")
        return answer.body if answer.status == 200 else ""


class GatewayCase(TestCase):
    """A test renders values, starts Envoy Gateway and sends. Envoy must take all that it gets, unless the test is about what it does not."""

    def setUp(self):
        super().setUp()
        self.gateway = None
        self.refusals = False  # a test that is about what Envoy does not take sets it
        self.folder = os.path.join(self.directory, "resources")
        os.makedirs(self.folder)
        self.addCleanup(self._count_nacks)

    def _count_nacks(self):
        global nacks
        found = [line for program in self.programs if isinstance(program, EnvoyGateway) for line in program.refused()]
        if not self.refusals:
            nacks += len(found)
            self.assertEqual(found, [], "Envoy refused what Envoy Gateway sent")

    def values(self, **changes):
        """A plugin for the route payments, whose headers are of a host outside; with whole keys replaced."""
        return {
            "name": "header-augmenting", "namespace": "shop",
            "plugin": {"name": "header_augmenting", "configuration": {"sources": [
                {"name": "idp", "cluster": "${cluster:idp}", "authority": "idp.example.com", "path": "/headers"}]}},
            "services": [{"name": "idp", "outside": {"host": "idp.example.com", "port": 8082, "tls": False}}],
            "workload": {"name": "any"},
            "traffic": {"direction": "outbound", "destinations": [{"host": "payments", "port": 9001}]},
            "gateway": {"name": "public", "routes": ["payments"]}, **changes}

    def render(self, values):
        """Renders into the folder that Envoy Gateway reads; what rendering notes."""
        path, folder = os.path.join(self.directory, "values.json"), os.path.join(self.directory, "gateway")
        with open(path, "w") as file:
            json.dump(values, file)
        done = subprocess.run([INLAY, "deploy", "render", "gateway", "-f", path, "-o", folder], capture_output=True, text=True, timeout=600,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for name in os.listdir(folder):
            if name != "kustomization.yaml":  # which is for kubectl alone
                shutil.copy(os.path.join(folder, name), self.folder)
        checked = subprocess.run([INLAY, "deploy", "check", folder], capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        return done.stderr

    def http_module(self, status=200):
        """The filter as a web server has it; `status`: what that answers."""
        with open(filter_module(), "rb") as file:
            module = file.read()
        self.origin(8000, lambda _: module, status=status)
        return {"http": "http://modules.example.com:8000/filter.wasm", "sha256": hashlib.sha256(module).hexdigest()}

    def origin(self, port, *arguments, **options):
        origin = Origin(port, *arguments, **options)
        self.addCleanup(origin.close)
        return origin

    def start_gateway(self, **options):
        """With two routes: payments, which the plugin is for, and ledger."""
        self.origin(9001)
        self.origin(9002)
        with open(os.path.join(self.folder, "objects.yaml"), "w") as file:
            objects = [*gateway(), certificates(), *route("payments", "10.1.0.6", 9001), *route("ledger", "10.1.0.7", 9002)]
            file.write("\n---\n".join(json.dumps(one) for one in objects))
        self.gateway = self.start(EnvoyGateway(self.directory, self.folder, **options))
        self.gateway.wait_for(lambda: self.get("ledger").status == 200, "an answer of the other route")
        return self.gateway

    def get(self, route_name):
        return send("10.1.0.1", PORT, f"{route_name}.example.com", source=CLIENT)

    def until(self, condition, what):
        """Sends to payments until condition(answer); the answer."""
        last = []

        def good():
            last[:] = [self.get("payments")]
            return condition(last[0])
        try:
            wait_until(good, what, 60)
        except AssertionError as error:
            raise AssertionError(f"{error}; the last answer: {last}") from None
        return last[0]
