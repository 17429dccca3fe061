# SPDX-License-Identifier: Apache-2.0
"""SPIRE: JWT-SVIDs from the socket of a real agent, which attests the proxy as the workload."""

import base64
import json
import os
import subprocess
import time
import unittest

from identity.provider import FilterTest, Provider, find
from support import config, pipes
from support.both import in_envoy_too
from support.envoy import find_envoy
from support.processes import INLAY, PATIENCE, Program, free_port, wait_until

AUDIENCE = "https://payments.example.com"
LIFETIME = 60

SERVER = """
server {{
  bind_address = "127.0.0.1"
  bind_port = "{port}"
  socket_path = "{home}/server.sock"
  trust_domain = "example.org"
  data_dir = "{home}/server"
  log_level = "INFO"
  jwt_issuer = "https://spire.example"
  default_jwt_svid_ttl = "{life}s"
}}
plugins {{
  DataStore "sql" {{ plugin_data {{ database_type = "sqlite3", connection_string = "{home}/datastore.sqlite3" }} }}
  NodeAttestor "join_token" {{ plugin_data {{}} }}
  KeyManager "memory" {{ plugin_data {{}} }}
}}
"""
AGENT = """
agent {{
  data_dir = "{home}/agent"
  socket_path = "{home}/agent.sock"
  server_address = "127.0.0.1"
  server_port = "{port}"
  trust_domain = "example.org"
  insecure_bootstrap = true
  log_level = "INFO"
}}
plugins {{
  NodeAttestor "join_token" {{ plugin_data {{}} }}
  KeyManager "memory" {{ plugin_data {{}} }}
  WorkloadAttestor "unix" {{ plugin_data {{ discover_workload_path = true }} }}
}}
"""


class Spire(Provider):
    """A server and an agent, for which a proxy is known by the path of its program."""

    def __init__(self):
        folder = find("spire")
        super().__init__()
        self.server, self.agent = (os.path.join(folder, name) for name in ("spire-server", "spire-agent"))
        self.socket = os.path.join(self.directory, "agent.sock")
        values = {"home": self.directory, "port": free_port(), "life": LIFETIME}
        for name, text in (("server", SERVER), ("agent", AGENT)):
            os.mkdir(os.path.join(self.directory, name))
            with open(self.path(name), "w") as file:
                file.write(text.format(**values))
        server = self.start(Program("spire-server", [self.server, "run", "-config", self.path("server")], self.directory))
        admin = os.path.join(self.directory, "server.sock")
        server.wait_for(lambda: subprocess.run([self.server, "healthcheck", "-socketPath", admin], capture_output=True, check=False).returncode == 0,
                        "its health", 300)
        token = self.ask("token", "generate", "-spiffeID", "spiffe://example.org/host").split()[1]
        agent = self.start(Program("spire-agent", [self.agent, "run", "-config", self.path("agent"), "-joinToken", token], self.directory))
        agent.wait_for(lambda: pipes.listening(self.socket), "its socket", 300)

    def path(self, name):
        return os.path.join(self.directory, f"{name}.conf")

    def ask(self, *arguments):
        """What the server answers to its operator."""
        return subprocess.run([self.server, *arguments, "-socketPath", os.path.join(self.directory, "server.sock")], capture_output=True, text=True,
                              timeout=PATIENCE, check=True).stdout

    def register(self, program):
        """An entry for what runs that program; its ID."""
        said = self.ask("entry", "create", "-parentID", "spiffe://example.org/host", "-spiffeID", "spiffe://example.org/proxy",
                        "-selector", "unix:path:" + os.path.realpath(program))
        return next(line.split(":", 1)[1].strip() for line in said.splitlines() if line.startswith("Entry ID"))

    def judge(self, token):
        """SPIRE's own word on a JWT-SVID."""
        done = subprocess.run([self.agent, "api", "validate", "jwt", "-audience", AUDIENCE, "-svid", token, "-socketPath", self.socket],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode:
            return {"active": False, "said": done.stderr}
        body = token.split(".")[1]
        return {"active": True, **json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))}


spire = None


def setUpModule():
    global spire
    try:
        spire = Spire()
    except unittest.SkipTest as reason:
        JwtSvids.why = str(reason)


def tearDownModule():
    if spire:
        spire.end()


@in_envoy_too
class JwtSvids(FilterTest):
    why = None

    def setUp(self):
        super().setUp()
        if self.why:
            self.skipTest(self.why)

    def start_with(self, **keys):
        self.judged = {}

        def judge(token):  # each once: it takes the agent's program
            if token not in self.judged:
                self.judged[token] = spire.judge(token)
            said = self.judged[token]
            return {**said, "active": said["active"] and said["exp"] > time.time()}
        http2 = {"typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": config.TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}}}}}
        source = {"name": "svid", "cluster": "spire", "format": "jwt_svid", "jwt_svid": {"audience": AUDIENCE},
                  "headers": {"authorization": "Bearer {text}"}}
        self.start_filter([source], [pipes.cluster("spire", spire.socket, **http2)], judge, **keys)

    def test_an_identity_that_comes_is_renewed_and_goes(self):
        self.start_with()
        refused = "fetch failed: the answer's status is not 200 but gRPC's 7 (permission denied: no identity for this proxy)"
        wait_until(lambda: refused in self.proxy.log(), "the agent does not know it")
        self.assertEqual(self.get().status, 503)
        entry = spire.register(find_envoy()[0] if self.in_envoy else INLAY)
        self.wait_for_tokens()
        said = self.upstream.judged[-1][1]
        self.assertEqual((said["sub"], said["aud"]), ("spiffe://example.org/proxy", [AUDIENCE]))
        self.upstream.judged.clear()

        def third():
            self.assertEqual(self.get().status, 200)
            return len(self.judged) >= 3
        wait_until(third, "the third JWT-SVID", 5 * LIFETIME, interval=0.1)
        self.assertEqual([said for _, said in self.upstream.judged if not said["active"]], [])
        spire.ask("entry", "delete", "-entryID", entry)
        wait_until(lambda: self.get().status == 503, "its end", 5 * LIFETIME, interval=0.1)
        self.assertEqual([said for _, said in self.upstream.judged if not said["active"]], [], "no token past its end")
        self.assert_nothing_is_shown(*(token.split(".")[1] for token in self.judged))


if __name__ == "__main__":
    unittest.main()
