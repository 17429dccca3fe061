# SPDX-License-Identifier: Apache-2.0
"""What `inlay deploy render gateway` makes, in Envoy Gateway: which requests get headers, and what happens where something is missing."""

import json

from gateway.world import GatewayCase
from support.envoy import needs_envoy
from support.registry import push_filter

OCI_OF_NOBODY = {"oci": "oci://127.0.0.1:1/filter@sha256:" + "a" * 64}
TOKEN = b'{"authorization": "Bearer 1.outside"}'


@needs_envoy()
class Routes(GatewayCase):
    def check_one_route_gets_headers(self, module, **changes):
        self.render(self.values(module=module, **changes))
        provider = self.origin(8082, lambda _: TOKEN)
        self.start_gateway()
        answer = self.until(lambda answer: answer.authorization, "the header at the upstream")
        self.assertEqual(answer.authorization, "Bearer 1.outside")
        # Another route of the same Gateway passes no plugin.
        other = self.get("ledger")
        self.assertEqual((other.status, other.authorization), (200, None))
        self.assertGreaterEqual(provider.requests, 1)
        return json.loads(self.gateway.admin("/config_dump"))

    def test_a_module_of_a_web_server(self):
        dump = json.dumps(self.check_one_route_gets_headers(self.http_module()))
        # Envoy Gateway fetched it; its proxy asks Envoy Gateway alone.
        self.assertIn("wasm_cluster", dump)
        self.assertNotIn("modules.example.com", dump)
        # The cluster of the patch, and no route to it.
        self.assertIn("idp::10.2.0.1:8082::", self.gateway.admin("/clusters"))
        for configuration in json.loads(dump)["configs"]:
            if configuration["@type"].endswith("RoutesConfigDump"):
                self.assertNotIn('"idp"', json.dumps(configuration))

    def test_an_image(self):
        self.check_one_route_gets_headers({"oci": push_filter(self, "compat")})

    def test_an_artifact(self):
        self.check_one_route_gets_headers({"oci": push_filter(self, "artifact")})

    def test_a_provider_that_is_a_service_of_the_cluster(self):
        self.check_one_route_gets_headers(self.http_module(), services=[
            {"name": "idp", "mesh": {"host": "tokens.shop.svc.cluster.local", "port": 8082}}])
        self.assertIn("idp::10.2.0.3:8082::", self.gateway.admin("/clusters"))

    def test_two_routes(self):
        self.render(self.values(module=self.http_module(), gateway={"name": "public", "routes": ["payments", "ledger"]}))
        self.origin(8082, lambda _: TOKEN)
        self.start_gateway()
        self.until(lambda answer: answer.authorization, "the header at the upstream")
        self.assertEqual(self.get("ledger").authorization, "Bearer 1.outside")

    def test_a_variable_of_the_proxy(self):
        values = self.values(module=self.http_module())
        values["plugin"]["configuration"]["sources"][0]["request_headers"] = {"x-key": "${env:API_KEY}"}
        values["plugin"]["environment"] = [{"name": "API_KEY", "secret": {"name": "idp", "key": "key"}}]
        self.assertIn("the proxy must have the variables", self.render(values))
        seen = []
        self.origin(8082, lambda handler: seen.append(handler.headers.get("x-key")) or TOKEN)
        self.start_gateway(environment={"API_KEY": "hunter2"})
        self.until(lambda answer: answer.authorization, "the header at the upstream")
        self.assertEqual(set(seen), {"hunter2"})


@needs_envoy()
class Missing(GatewayCase):
    """The table in docs/guide/deploy.md."""

    def test_without_patch_policies_there_is_no_cluster(self):
        self.render(self.values(module=self.http_module()))
        self.start_gateway(patches=False)
        answer = self.until(lambda answer: answer.body.startswith("the headers"), "the filter's own answer")
        self.assertEqual(answer.status, 503)
        self.gateway.wait_for(lambda: "the call could not be sent: there is no such cluster: idp" in self.gateway.log(), "the reason")

    def test_authorities_that_the_proxy_does_not_have(self):
        """Envoy refuses the cluster of the patch, and goes on with what it has."""
        self.refusals = True
        self.render(self.values(module=self.http_module(), services=[
            {"name": "idp", "outside": {"host": "idp.example.com", "port": 8082, "ca": "/none/ca.pem"}}]))
        self.start_gateway()
        self.gateway.wait_for(self.gateway.refused, "the refusal")
        self.assertIn("Invalid path: /none/ca.pem", self.gateway.refused()[0])
        self.assertEqual(self.until(lambda answer: answer.status == 503, "the filter's own answer").body,
                         "the headers that this request needs are not available yet")

    def missing_module(self, module, policy):
        values = self.values(module=module)
        values["plugin"]["failure_policy"] = policy
        self.render(values)
        self.origin(8082, lambda _: TOKEN)
        self.start_gateway()
        return self.until(lambda answer: answer.status not in (0, 404), "an answer")

    def test_a_module_that_the_web_server_does_not_have(self):
        answer = self.missing_module(self.http_module(status=404), "FAIL_CLOSED")
        self.assertEqual((answer.status, answer.body), (500, ""))

    def test_an_image_that_is_not_there(self):
        answer = self.missing_module(OCI_OF_NOBODY, "FAIL_CLOSED")
        self.assertEqual((answer.status, answer.body), (500, ""))

    def test_with_fail_open_requests_pass_without_headers(self):
        answer = self.missing_module(OCI_OF_NOBODY, "FAIL_OPEN")
        self.assertEqual((answer.status, answer.authorization), (200, None))
