# SPDX-License-Identifier: Apache-2.0
"""`inlay deploy render`: what is rendered runs, and requests get their headers."""

import hashlib
import json
import os
import re
import unittest

from support.both import in_envoy_too
from support.certificates import Authority, server_context
from support.deploy import EXAMPLES, DeployCase, read
from support.origins import Echo, Provider, PythonServer, echoed
from support.processes import filter_module, free_port, wait_until
from support.wire import request


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


if __name__ == "__main__":
    unittest.main()
