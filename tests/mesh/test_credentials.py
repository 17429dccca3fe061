# SPDX-License-Identifier: Apache-2.0
"""Credentials that a pod has by itself, its service account's token and its identity of SPIRE's: from a values file to the upstream."""

import json
import os
import re
import shutil
import stat
import urllib.parse

from mesh.world import ISTIOD, SDS_SOCKET, MeshCase, send, service, with_pod
from support import workload_api
from support.certificates import Authority
from support.envoy import needs_envoy
from support.mount import Mount
from support.processes import wait_until

PAYMENTS = service("payments", 8081, address="10.96.0.10")
PAYMENTS_HOST = "payments.shop.svc.cluster.local:8081"
IDP = {"name": "idp", "outside": {"host": "idp.example.com", "port": 8082, "tls": False}}
AUDIENCE = "https://idp.example.com"


@needs_envoy()
class MountedFiles(MeshCase):
    """The target istio has the proxy answer with files over a pipe, the target kubernetes has them mounted. Here the test is the cluster: it
    reads from the Deployment what is to be mounted where."""

    def setUp(self):
        super().setUp()
        for folder in ("/run/secrets", "/run/inlay"):
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)

    def values_with_files(self, attach):
        values = self.values(istio={"attach": attach}, services=[IDP, {"name": "files", "files": [
            {"name": "sa", "service_account_token": {"audience": AUDIENCE}}, {"name": "key", "secret": {"name": "orders", "key": "key.pem"}}]}])
        values["plugin"]["configuration"] = {"when_missing": {"action": "hold"}, "sources": [
            {"name": "idp", "cluster": "${cluster:idp}", "authority": "idp.example.com", "path": "/token", "format": "oauth2",
             "oauth2": {"client_id": "orders", "auth_method": "client_assertion", "client_assertion": "${source:sa}"}},
            {"name": "sa", "cluster": "${cluster:files}", "path": "/sa", "format": "text", "refresh": {"every": "1s"}}]}
        return values

    def mount(self, **contents):
        """What the injector and kubelet do with the Deployment's annotations; the mount of the files."""
        with open(self.rendered("deployment.yaml")) as file:
            text = file.read()

        def annotation(name):
            return json.loads(re.search(rf"^ +sidecar\.istio\.io/{name}: '(.*)'$", text, re.M)[1].replace("''", "'"))
        made = None
        for name, mount in annotation("userVolumeMount").items():
            volume = annotation("userVolume")[name]
            if "emptyDir" in volume:
                os.makedirs(mount["mountPath"])
            elif "projected" in volume:
                os.makedirs(os.path.dirname(mount["mountPath"]))
                token, secret = volume["projected"]["sources"]
                self.assertEqual(token["serviceAccountToken"], {"audience": AUDIENCE, "expirationSeconds": 3600, "path": "sa"})
                self.assertEqual(secret["secret"], {"name": "orders", "items": [{"key": "key.pem", "path": "key"}]})
                made = Mount(mount["mountPath"], **contents)
        return made

    def check_the_token_is_the_assertion(self, attach):
        self.render(self.values_with_files(attach))
        mount = self.mount(sa="token-1\n", key="none")
        assertions = []

        def answer(handler):
            assertions.append(urllib.parse.parse_qs(handler.body.decode())["client_assertion"][0])
            return json.dumps({"access_token": f"access-{assertions[-1]}", "token_type": "Bearer", "expires_in": 4}).encode()
        self.origin(8082, answer)
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        self.assertEqual(self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST).authorization, "Bearer access-token-1")
        # Nobody but the proxy's user opens the socket.
        self.assertEqual(stat.S_IMODE(os.stat("/var/run/inlay/files.sock").st_mode), 0o600)
        # The cluster writes another one.
        mount.put(sa="token-2\n", key="none")
        wait_until(lambda: send("10.96.0.10", 8081, PAYMENTS_HOST).authorization == "Bearer access-token-2", "the token of the new file")
        self.assertEqual(sorted(set(assertions)), ["token-1", "token-2"])
        self.assertEqual(self.findings()[0], 0)

    def test_the_service_accounts_token_is_the_assertion(self):
        self.check_the_token_is_the_assertion("TrafficExtension")

    def test_the_same_by_envoy_filter(self):
        self.check_the_token_is_the_assertion("EnvoyFilter")

    def test_files_that_are_not_mounted_leave_the_rest_of_the_listeners_alone(self):
        self.refusals = True
        self.render(self.values_with_files("TrafficExtension"))
        os.makedirs("/var/run/inlay")
        self.origin(8082)
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        self.istiod.wait_for(lambda: "ACK ERROR" in self.istiod.log(), "the refusal")
        self.assertRegex(self.istiod.log(), r"ADS:LDS: ACK ERROR.*Error adding/updating listener\(s\) files: .*/var/run/secrets/inlay/files/sa")


@needs_envoy()
class WorkloadApi(MeshCase):
    """`sds-grpc`, the cluster of each proxy's bootstrap, with SPIRE's agent behind its socket."""

    def render_values(self):
        values = self.values(services=[{"name": "spire", "workload_api": {}}])
        values["plugin"]["configuration"] = {"sources": [
            {"name": "svid", "cluster": "${cluster:spire}", "format": "jwt_svid", "jwt_svid": {"audience": "payments"},
             "headers": {"authorization": "Bearer {text}"}}]}
        self.assertIn("Istio's injection template `spire` mounts it", self.render(values))

    def check_the_svid_is_sent(self, agent):
        if shutil.which("haproxy") is None:
            self.skipTest("there is no haproxy, which speaks HTTP/2 for what stands in for SPIRE's agent")
        self.render_values()
        with open(self.rendered("deployment.yaml")) as file:
            self.assertIn("inject.istio.io/templates: 'sidecar,spire'", file.read())
        self.assertFalse([path for path in self.rendered_files if path.endswith("envoy-filter.yaml")])
        socket = os.path.join(self.directory, SDS_SOCKET)
        os.makedirs(os.path.dirname(socket))
        spire = workload_api.Agent(self, socket).start()
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"), agent=agent)
        answer = self.until_augmented("10.96.0.10", 8081, PAYMENTS_HOST)
        self.assertIn(answer.authorization.removeprefix("Bearer "), spire.given)

    def test_the_svid_is_sent(self):
        self.check_the_svid_is_sent(agent=False)

    def test_with_the_bootstrap_of_pilot_agent(self):
        self.check_the_svid_is_sent(agent=True)

    def test_istios_own_agent_gives_none_and_the_log_says_so(self):
        """The injection template is missing: it is the agent that listens there."""
        self.render_values()
        authority = Authority(self.directory, "root")
        certificate, key = authority.issue("orders", "URI:spiffe://cluster.local/ns/shop/sa/orders")
        self.start_program("secrets", [ISTIOD, "secrets", "-cert", certificate, "-key", key, "-root", authority.certificate]).wait_for(
            lambda: os.path.exists(os.path.join(self.directory, SDS_SOCKET)), "its socket")
        self.origin(8081)
        self.start_mesh(with_pod(PAYMENTS, "10.1.0.6"))
        self.sidecar.wait_for(lambda: "gRPC's 12" in self.sidecar.log(), "the refusal")
        self.assertEqual(send("10.96.0.10", 8081, PAYMENTS_HOST).status, 503)
