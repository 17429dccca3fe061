# SPDX-License-Identifier: Apache-2.0
"""`inlay deploy render`: from one values file to what runs, on the real program."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from support.both import in_envoy_too, inlay_only
from support.certificates import Authority, server_context
from support.envoy import find_envoy
from support.origins import Echo, Provider, PythonServer, echoed
from support.processes import INLAY, ROOT, TestCase, filter_module, free_port, listening, wait_until
from support.wire import request

TARGETS = ("envoy", "compose", "kubernetes", "istio")
EXAMPLES = os.path.join(ROOT, "deploy")


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


class DeployCase(TestCase):
    def setUp(self):
        super().setUp()
        os.makedirs(os.path.join(self.directory, "build"))
        shutil.copy(filter_module(), os.path.join(self.directory, "build", "header_augmenting.wasm"))
        os.makedirs(os.path.join(self.directory, "deploy"))
        self.write("deploy/values.yaml", read(EXAMPLES, "values.yaml"))

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as file:
            file.write(text)

    def inlay(self, *arguments, **options):
        done = subprocess.run([INLAY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                              cwd=options.get("cwd", self.directory), stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def render(self, target, *flags, values="deploy/values.yaml", folder=None):
        return self.inlay("deploy", "render", target, "-f", values, "-o", folder or target, *flags)

    def rendered(self, target, **options):
        status, out, err = self.render(target, **options)
        self.assertEqual(status, 0, out + err)
        return os.path.join(self.directory, options.get("folder") or target)

    def start_rendered(self, environment=None, status=200):
        return self.start_bootstrap(self.rendered("envoy"), environment, status)

    def start_bootstrap(self, folder, environment=None, status=200):
        """A proxy that runs the folder's envoy.yaml and answers with `status`."""
        proxy = self.launch_proxy("envoy.yaml", cwd=folder, concurrency=2, environment=environment)
        proxy.wait_for(lambda: listening(self.admin) and request(self.admin, "/ready").status == 200, "/ready")
        proxy.wait_for(lambda: request(self.port).status == status, f"status {status}")
        return proxy


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


@in_envoy_too
class Rendered(DeployCase):
    def own_ports(self, text, echo, provider):
        self.port, self.admin = free_port(), free_port()
        for fixed, own in (("port: 8081", echo.port), ("port: 8082", provider.port), ("port: 8080", self.port)):
            self.assertIn(fixed, text)
            text = text.replace(fixed, f"port: {own}")
        return text.replace("envoy:\n", f"envoy:\n  admin_port: {self.admin}\n")

    def test_it_runs_unchanged_and_adds_the_headers(self):
        echo, provider = self.start(Echo(self.directory)), self.start(Provider(self.directory))
        self.write("deploy/values.yaml", self.own_ports(read(EXAMPLES, "values.yaml"), echo, provider))
        self.start_rendered()
        seen = echoed(self.port, "/pay", headers={"authorization": "forged"})
        self.assertEqual(seen["path"], "/pay")
        self.assertRegex(seen["headers"]["authorization"], r"^Bearer 1\.")
        self.assertEqual(provider.polls(), 1)

    def test_a_secret_comes_from_the_environment_and_destinations_are_told_apart(self):
        first, second = self.start(Echo(self.directory, "first")), self.start(Echo(self.directory, "second"))
        provider = self.start(Provider(self.directory))
        self.port, self.admin = free_port(), free_port()
        values = {
            "name": "tokens", "namespace": "shop", "module": {"file": "../build/header_augmenting.wasm"},
            "plugin": {"name": "augmenter", "configuration": {"sources": [{
                "name": "a", "cluster": "${cluster:provider}", "path": "/headers",
                "request_headers": {"x-key": "${env:DEPLOY_TEST_KEY}"}}]},
                "environment": [{"name": "DEPLOY_TEST_KEY", "secret": {"name": "a", "key": "b"}}]},
            "services": [{"name": "provider", "sidecar": {"port": provider.port}}],
            "workload": {"name": "orders"},
            "traffic": {"direction": "outbound", "destinations": [
                {"host": "one.shop.svc.cluster.local", "port": first.port},
                {"host": "two.shop.svc.cluster.local", "port": second.port}]},
            "envoy": {"port": self.port, "admin_port": self.admin, "resolve": {
                "one.shop.svc.cluster.local": "127.0.0.1", "two.shop.svc.cluster.local": "127.0.0.1"}}}
        self.write("deploy/values.yaml", json.dumps(values))
        os.environ["DEPLOY_TEST_KEY"] = "hunter2"
        self.addCleanup(os.environ.pop, "DEPLOY_TEST_KEY")
        self.start_rendered()
        for name in os.listdir(os.path.join(self.directory, "envoy")):
            if name.endswith(".yaml"):
                self.assertNotIn("hunter2", read(self.directory, "envoy", name))
        for number, host in enumerate(("one.shop.svc.cluster.local", "two.shop.svc.cluster.local")):
            self.assertIn("authorization", echoed(self.port, f"/{number}", host=host)["headers"])
        stats = request(self.admin, "/stats").body.decode()
        self.assertRegex(stats, r"(?m)^cluster\.two\.upstream_rq_total: 1$")


    def test_each_destination_gets_its_own_headers(self):
        """By rules of the values file that name destinations; one for all destinations comes first."""
        self.port, self.admin = free_port(), free_port()
        origins = {name: self.start(Echo(self.directory, name)) for name in ("one", "two")}
        values = {
            "name": "tokens", "namespace": "shop", "module": {"file": "../build/header_augmenting.wasm"},
            "plugin": {"name": "augmenter", "configuration": {"sources": [], "rules": [
                {"match": {"path": "/healthz"}, "use": []}]}},
            "services": [], "workload": {"name": "orders"}, "traffic": {"direction": "outbound", "destinations": []},
            "envoy": {"port": self.port, "admin_port": self.admin, "resolve": {}}}
        configuration = values["plugin"]["configuration"]
        for name, origin in origins.items():
            provider = PythonServer(lambda handler, name=name: (200, {}, json.dumps({"x-token": f"of {name}"}).encode()))
            self.addCleanup(provider.close)
            host = f"{name}.shop.svc.cluster.local"
            configuration["sources"].append({"name": name, "cluster": "${cluster:provider-%s}" % name})
            configuration["rules"].append({"match": {"cluster": "${cluster:%s}" % host}, "use": [name]})
            values["services"].append({"name": f"provider-{name}", "sidecar": {"port": provider.port}})
            values["traffic"]["destinations"].append({"host": host, "port": origin.port})
            values["envoy"]["resolve"][host] = "127.0.0.1"
        self.write("deploy/values.yaml", json.dumps(values))
        self.start_rendered()
        for name, origin in origins.items():
            for host in (f"{name}.shop.svc.cluster.local", f"{name}.shop.svc.cluster.local:{origin.port}"):
                wait_until(lambda: request(self.port, "/pay", host=host).status == 200, "a token")  # noqa: B023
                self.assertEqual(echoed(self.port, "/pay", host=host)["headers"]["x-token"], f"of {name}")
                self.assertNotIn("x-token", echoed(self.port, "/healthz", host=host)["headers"])


# Of a sidecar: a listener that takes every host on its port. A service that is known has a cluster of its own, the rest is
# passed through.
SIDECAR = """
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
static_resources:
  listeners:
  - name: 0.0.0.0_8081
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: outbound
          route_config:
            virtual_hosts:
{hosts}
          http_filters:
          - {filter}
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
{clusters}
"""


@in_envoy_too
class Sidecar(DeployCase):
    """What istio's resources say, in a listener such as istiod makes."""

    DESTINATION = "outbound|8081||payments.shop.svc.cluster.local"

    def rendered_filter(self):
        """The HTTP filter of envoy-filter.yaml, to stand in a list at column 10."""
        self.write("deploy/filter.yaml", read(EXAMPLES, "values.yaml") + "istio: {attach: EnvoyFilter}\n")
        text = read(self.rendered("istio", values="deploy/filter.yaml"), "envoy-filter.yaml")
        value = text.split("operation: INSERT_BEFORE\n      value:\n")[1]
        lines = [line[8:] for line in value.splitlines() if line.startswith(" " * 8)]
        module = os.path.join(self.directory, "build", "header_augmenting.wasm")
        return "\n            ".join(lines).replace("/var/local/wasm/header_augmenting.wasm", module)

    def start_sidecar(self, origins):
        """`origins`: the listener's hosts, each with its cluster and the port that this stands for."""
        host = "            - {{name: '{0}', domains: {1}, routes: [{{match: {{prefix: /}}, route: {{cluster: '{0}'}}}}]}}"
        cluster = ("  - {{name: '{0}', type: STATIC, load_assignment: {{cluster_name: '{0}', endpoints: [{{lb_endpoints: ["
                   "{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {1}}}}}}}}}]}}]}}}}")
        names = {"*": "['*']"}
        self.port, self.admin = free_port(), free_port()
        os.makedirs(os.path.join(self.directory, "sidecar"))
        self.write("sidecar/envoy.yaml", SIDECAR.format(
            admin=self.admin, port=self.port, filter=self.rendered_filter(),
            hosts="\n".join(host.format(cluster, names.get(name, f"['{name}', '{name}:8081']"))
                            for name, cluster, _ in origins if name),
            clusters="\n".join(cluster.format(name, port) for _, name, port in origins)))
        self.start_bootstrap(os.path.join(self.directory, "sidecar"))

    def test_headers_go_to_the_destination_and_to_no_other_host_on_its_port(self):
        payments, other, provider = self.start(Echo(self.directory, "payments")), self.start(Echo(self.directory, "other")), \
            self.start(Provider(self.directory))
        self.start_sidecar([
            ("payments.shop.svc.cluster.local", self.DESTINATION, payments.port),
            ("ledger.shop.svc.cluster.local", "outbound|8081||ledger.shop.svc.cluster.local", other.port),
            ("*", "PassthroughCluster", other.port), ("", "header-provider", provider.port)])
        own = {"authorization": "of the workload"}
        pay = lambda host: echoed(self.port, "/pay", host=host, headers=own)["headers"]["authorization"]  # noqa: E731
        wait_until(lambda: request(self.port, host="payments.shop.svc.cluster.local").status == 200, "headers")
        for host in ("payments.shop.svc.cluster.local", "payments.shop.svc.cluster.local:8081"):
            self.assertRegex(pay(host), r"^Bearer 1\.")
        for host in ("evil.example", "evil.example:8081", "ledger.shop.svc.cluster.local", "payments.shop.svc.cluster.local:1",
                     "payments.shop.svc.cluster.local.evil.example", "PAYMENTS"):
            self.assertEqual(pay(host), own["authorization"], host)


@in_envoy_too
class Elsewhere(DeployCase):
    """Parts that are neither in the pod nor in the mesh: a provider behind TLS, a module on a web server."""

    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))
        self.port, self.admin = free_port(), free_port()

    def values(self, service, **more):
        return {"name": "tokens", "namespace": "shop", "module": {"file": "../build/header_augmenting.wasm"},
                "plugin": {"name": "augmenter", "configuration": {"header_providing_service_cluster": "${cluster:idp}"}},
                "services": [{"name": "idp", **service}],
                "workload": {"name": "orders"},
                "traffic": {"direction": "outbound", "destinations": [{"host": "payments.example", "port": self.echo.port}]},
                "envoy": {"port": self.port, "admin_port": self.admin, "resolve": {
                    host: "127.0.0.1" for host in ("payments.example", service.get("outside", {}).get("host"))
                    if host and host.endswith(".example")}}, **more}

    def test_a_provider_outside_is_called_over_tls_and_its_certificate_checked(self):
        authority, stranger = Authority(self.directory, "ca"), Authority(self.directory, "stranger")
        seen = []

        def headers(handler):
            seen.append(handler.headers["host"])
            return 200, {}, b'{"authorization": "Bearer over-tls"}'

        provider = PythonServer(headers, server_context(
            *authority.issue("idp", "DNS:idp.corp.example,IP:127.0.0.1")))
        self.addCleanup(provider.close)
        for host in ("idp.corp.example", "127.0.0.1"):
            outside = {"host": host, "port": provider.port, "ca": authority.certificate}
            self.write("deploy/values.yaml", json.dumps(self.values({"outside": outside})))
            proxy = self.start_rendered()
            self.assertEqual(echoed(self.port, "/pay")["headers"]["authorization"], "Bearer over-tls")
            self.assertIn('"path": "' + authority.certificate, request(self.admin, "/certs").body.decode())
            proxy.end()
        answers = len(seen)
        for change, count in (({"ca": stranger.certificate}, "fail_verify_error"), ({"host": "elsewhere.example"}, "fail_verify_san")):
            outside = {"host": "idp.corp.example", "port": provider.port, "ca": authority.certificate, **change}
            self.write("deploy/values.yaml", json.dumps(self.values({"outside": outside})))
            proxy = self.start_rendered(status=503)
            wait_until(lambda: re.search(rf"(?m)^cluster\.idp\.ssl\.{count}: [1-9]", request(self.admin, "/stats").body.decode()),
                       count)
            self.assertEqual(request(self.port).status, 503)
            proxy.end()
        self.assertEqual(len(seen), answers, "nothing was sent to a server that was not the one it should be")

    def test_the_module_is_fetched_from_a_web_server(self):
        with open(filter_module(), "rb") as file:
            module = file.read()
        paths = []

        def serve(handler):
            paths.append(handler.path)
            return 200, {"content-type": "application/wasm"}, module

        modules = PythonServer(serve)
        self.addCleanup(modules.close)
        provider = self.start(Provider(self.directory))
        self.write("deploy/values.yaml", json.dumps(self.values(
            {"sidecar": {"port": provider.port}},
            module={"http": f"http://127.0.0.1:{modules.port}/filters/1.wasm", "sha256": hashlib.sha256(module).hexdigest()})))
        self.start_rendered(environment={"XDG_CACHE_HOME": os.path.join(self.directory, "cache")})
        self.assertEqual(os.listdir(os.path.join(self.directory, "envoy")), ["envoy.yaml"])
        self.assertRegex(echoed(self.port, "/pay")["headers"]["authorization"], r"^Bearer 1\.")
        self.assertEqual(paths, ["/filters/1.wasm"])


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


@inlay_only("a subcommand of Inlay's")
class CheckBeforeARollout(DeployCase):
    """`inlay deploy check`: its forms and exit statuses; deploy/check/check_resources_test.cc has each rule."""

    def check(self, *arguments):
        return self.inlay("deploy", "check", *arguments)

    def test_a_values_file_and_what_it_is_rendered_to_pass(self):
        status, out, err = self.check("deploy/values.yaml")
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(out.endswith("check: 0 errors, 0 warnings, 1 note\n"), out)
        self.rendered("kubernetes", folder="all/kubernetes")
        self.rendered("istio", folder="all/istio")
        status, out, _ = self.check("all", "--values", "deploy/values.yaml")
        self.assertEqual(status, 0, out)
        self.assertIn("all/istio/traffic-extension.yaml:", out)

    def test_what_somebody_wrote_by_hand_is_found_out(self):
        """A plugin without rules: each host on its port would get the token. For people and as JSON."""
        self.rendered("istio")
        plugin = os.path.join(self.directory, "istio", "traffic-extension.yaml")
        text = read(plugin)
        with open(plugin, "w") as file:
            file.write(text[:text.index("      rules:")])
        os.remove(os.path.join(self.directory, "istio", "sidecar.yaml"))
        status, out, _ = self.check("istio")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"(?m)^istio/traffic-extension\.yaml:\d+:\d+: error: .*every host.*port 8081.*\[token-reach\]$")
        status, out, _ = self.check("istio", "--json")
        found = json.loads(out)
        self.assertEqual((status, found["errors"]), (1, 1))
        self.assertEqual(found["findings"][0]["rule"], "token-reach")
        self.assertEqual(set(found["findings"][0]), {"severity", "rule", "file", "line", "column", "what", "why", "do"})

    def test_a_token_for_a_host_that_the_values_do_not_name(self):
        self.rendered("istio")
        self.write("deploy/other.yaml", read(EXAMPLES, "values.yaml").replace("payments.shop", "ledger.shop"))
        status, out, _ = self.check("istio", "--values", "deploy/other.yaml")
        self.assertEqual(status, 1)
        self.assertIn("payments.shop.svc.cluster.local`, which is no destination of the values file", out)

    def test_what_another_envoy_does_otherwise(self):
        status, out, _ = self.check("deploy/values.yaml", "--from", "1.36.4", "--to", "1.40")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"in Envoy 1\.40: .*\[version\]\n    why: in Envoy 1\.36: .*it changed with 1\.39 \(seen ")

    def test_an_image_that_has_no_module(self):
        self.assertEqual(self.inlay("package", "build/header_augmenting.wasm", "-o", "image")[0], 0)
        status, out, _ = self.check("image")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"image: note: the image sha256:[0-9a-f]{64} has a module of \d+ bytes .*\[image\]")
        blobs = os.path.join(self.directory, "image", "blobs", "sha256")
        largest = max(os.listdir(blobs), key=lambda name: os.path.getsize(os.path.join(blobs, name)))
        os.remove(os.path.join(blobs, largest))
        status, out, _ = self.check("image")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"image: error: .*\[image\]")

    def test_what_cannot_be_checked_ends_with_2_and_says_why(self):
        self.write("deploy/broken.yaml", "name: [\n")
        os.makedirs(os.path.join(self.directory, "empty"))
        os.makedirs(os.path.join(self.directory, "wrong"))
        self.write("wrong/a.yaml", "kind: Pod\n---\na: [\n")
        for arguments, why in ((["deploy/values.yaml", "--from", "1.36"], "--from and --to go together"),
                               (["deploy/values.yaml", "--from", "1.36", "--to", "new"], "versions of Envoy such as 1.36"),
                               (["deploy/values.yaml", "--values", "deploy/values.yaml"], "--values goes with a folder"),
                               (["deploy/broken.yaml"], "broken.yaml:"), (["empty"], "has no *.yaml"), (["wrong"], "wrong/a.yaml:")):
            status, out, err = self.check(*arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertIn(why, err)


@inlay_only("a subcommand of Inlay's")
class Guide(DeployCase):
    """The commands of docs/guide/deploy.md, and the output that it shows for them."""

    def commands(self):
        found = []
        for line in read(ROOT, "docs", "guide", "deploy.md").splitlines():
            if line.startswith("    $ "):
                found.append((line[6:], []))
            elif line.startswith("    ") and found:
                found[-1][1].append(line[4:])
            elif line.strip():
                if found and found[-1] is not None:
                    found.append(("", []))
        return [(command, output) for command, output in found if command]

    def test_rendering_prints_what_the_guide_says(self):
        os.symlink(INLAY, os.path.join(self.directory, "build", "inlay"))
        ran = 0
        for command, output in self.commands():
            if not command.startswith(("build/inlay deploy render", "build/inlay deploy check")):
                continue
            ran += 1
            done = subprocess.run(command, shell=True, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=600)
            self.assertEqual(done.returncode, 0, done.stdout.decode())
            self.assertEqual(done.stdout.decode().splitlines(), output, command)
        self.assertEqual(ran, 6)

    def test_the_other_commands_are_ones_that_are_there(self):
        with open(os.path.join(ROOT, "Makefile")) as file:
            verbs = set(re.findall(r"^(\w+):", file.read(), re.M))
        for command, _ in self.commands():
            program = command.strip("(").split()
            if program[0] == "make":
                self.assertIn(program[1], verbs)
            elif program[0].startswith("build/inlay"):
                self.assertEqual(self.inlay(*program[1:2], "--help")[0], 0, command)
            elif program[0] == "cd":
                self.assertIn("inlay run -c envoy.yaml", command)
            else:
                self.assertIn(program[0], ("curl", "kubectl", "docker"), command)

    def test_the_applied_folders_are_those_that_were_rendered(self):
        folders = {word for command, _ in self.commands() if "deploy render" in command
                   for word in command.split() if word.startswith("build/deploy/")}
        for command, _ in self.commands():
            for word in command.split():
                if word.startswith("build/deploy/") and "render" not in command:
                    self.assertIn("/".join(word.split("/")[:3]), folders, command)

    @unittest.skipUnless(shutil.which("kubectl"), "there is no kubectl here")
    def test_kubectl_applies_in_the_order_that_the_guide_shows(self):
        for target in ("kubernetes", "istio"):
            folder = self.rendered(target)
            manifest = subprocess.run(["kubectl", "kustomize", folder], stdout=subprocess.PIPE, check=True).stdout.decode()
            kinds = [kind.lower() for kind in re.findall(r"^kind: (\w+)", manifest, re.M)]
            shown = [output for command, output in self.commands()
                     if command.startswith("kubectl apply") and command.endswith(target)][0]
            self.assertEqual([re.split(r"[./]", line)[0] for line in shown], kinds)


if __name__ == "__main__":
    unittest.main()
