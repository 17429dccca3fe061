# SPDX-License-Identifier: Apache-2.0
"""The tasks of docs/guide/header_augmenting.md, docs/guide/workload_identity.md and docs/guide/token_exchange.md: each file of examples/header_augmenting runs, with nothing changed but ports
and the module's place, and does what the guide says of it."""

import base64
import json
import os
import re
import unittest
import urllib.parse

from support.both import in_envoy_too, inlay_only
from support.jwts import SECRET, key_set, soon, token
from support.mount import Mount
from support.origins import Echo, Provider, PythonServer
from support.processes import ROOT, TestCase, filter_module, free_port, listening, wait_until
from support.tcp import ByteServer
from support.wire import Wire, request

EXAMPLES = os.path.join(ROOT, "examples", "header_augmenting")


class Workload(PythonServer):
    """Answers with the headers that it was sent."""

    def __init__(self):
        super().__init__(lambda handler: (200, {}, json.dumps({k.lower(): v for k, v in handler.headers.items()}).encode()))


class TokenEndpoint(PythonServer):
    """An OAuth2 token endpoint at `path`: token-CLIENT for each client, and a memory of how they asked."""

    def __init__(self, path):
        self.asked = {}  # by client: (its secret, the form)
        self.path = path
        super().__init__(self.answer)

    def answer(self, handler):
        form = dict(urllib.parse.parse_qsl(handler.body.decode()))
        credentials = (form.get("client_id"), form.get("client_secret"))
        if "authorization" in handler.headers:
            text = base64.b64decode(handler.headers["authorization"].removeprefix("Basic ")).decode()
            credentials = tuple(urllib.parse.unquote_plus(part) for part in text.split(":"))
        if handler.path != self.path or handler.command != "POST":
            return 404, {}, b"{}"
        self.asked[credentials[0]] = (credentials[1], form)
        token = {"access_token": f"token-{credentials[0]}", "token_type": "Bearer", "expires_in": 3600}
        return 200, {"content-type": "application/json"}, json.dumps(token).encode()


@in_envoy_too
class Examples(TestCase):
    def start_example(self, name, ports, environment=None, paths=None):
        """Runs the file with `ports` in the place of its own: a dict of theirs to ours. Port 8080 is the proxy's. `paths` likewise."""
        with open(os.path.join(EXAMPLES, name)) as file:
            text = file.read()
        self.port = free_port()
        ports = {8080: self.port, **ports}
        found = {int(port) for port in re.findall(r"port_value: (\d+)", text)}
        self.assertEqual(found, set(ports), "the file's ports")
        text = re.sub(r"port_value: (\d+)", lambda match: f"port_value: {ports[int(match[1])]}", text)
        self.assertEqual(text.count("build/header_augmenting.wasm"), 1)
        text = text.replace("build/header_augmenting.wasm", filter_module())
        for theirs, ours in (paths or {}).items():
            self.assertIn(theirs, text)
            text = text.replace(theirs, ours)
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        self.proxy = self.launch_proxy(path, environment=environment)

    def server(self, server):
        self.addCleanup(server.close)
        return server

    def ask(self, path="/", host="inlay.test", method="GET", **headers):
        """What the workload saw of a request, once it got there."""
        def answered():
            try:
                response = request(self.port, path, method, {name.replace("_", "-"): value for name, value in headers.items()}, host=host)
            except OSError:
                return None
            return response if response.status == 200 else None
        return json.loads(self.proxy.wait_for(answered, f"an answer to {path}").body)

    def test_1_one_header(self):
        echo, provider = self.start(Echo(self.directory)), self.start(Provider(self.directory))
        self.start_example("1_one_header.yaml", {8081: echo.port, 8082: provider.port})
        seen = self.ask("/hello", accept="application/json", authorization="Bearer forged")["headers"]
        self.assertRegex(seen["authorization"], r"^Bearer \d+\.[0-9a-f]{16}$")
        self.assertEqual(provider.polls(), 1)

    def test_2_some_requests(self):
        answer = {"authorization": "Bearer provided", "x-tenant-name": "acme", "x-debug": "1"}
        provider = self.server(PythonServer(lambda _: (200, {}, json.dumps(answer).encode())))
        self.start_example("2_some_requests.yaml", {8081: self.server(Workload()).port, 8082: provider.port})
        seen = self.ask(cookie="session=1", authorization="Bearer forged")
        self.assertEqual((seen["authorization"], seen["x-tenant-name"]), ("Bearer provided", "acme"))
        self.assertFalse({"cookie", "x-debug"} & seen.keys(), seen)
        health = self.ask("/healthz", cookie="session=1")
        self.assertEqual(health["cookie"], "session=1")
        self.assertNotIn("authorization", health)
        partner = self.ask("/partner/orders", authorization="Bearer partner")
        self.assertEqual((partner["authorization"], partner["x-tenant-name"]), ("Bearer partner", "acme"))
        self.assertEqual(self.ask("/partner/orders")["authorization"], "Bearer provided")

    def test_2_a_websocket(self):
        provider = self.server(PythonServer(lambda _: (200, {}, b'{"authorization": "Bearer provided"}')))
        heads = []

        def chat(connection):
            lines = connection.makefile("rb")
            heads.append([line.decode().strip() for line in iter(lines.readline, b"\r\n")])
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        workload = ByteServer(chat)
        self.addCleanup(workload.close)
        self.start_example("2_some_requests.yaml", {8081: workload.port, 8082: provider.port})
        self.proxy.wait_for(lambda: listening(self.port), "its port")
        with Wire(self.port) as wire:
            wire.send("GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nauthorization: Bearer forged\r\n\r\n")
            self.assertEqual(wire.head().status, 101)
        self.assertIn("authorization: Bearer provided", heads[0])

    def test_3_any_json(self):
        asked = []

        def vault(handler):
            asked.append((handler.path, handler.headers["host"], handler.headers["x-vault-token"]))
            return 200, {}, b'{"data": {"data": {"key": "k-1", "user": "orders"}, "metadata": {"version": 3}}}'
        self.start_example("3_any_json.yaml", {8081: self.server(Workload()).port, 8200: self.server(PythonServer(vault)).port},
                           {"VAULT_TOKEN": "s.token"})
        seen = self.ask()
        self.assertEqual((seen["x-api-key"], seen["x-api-user"]), ("k-1", "orders"))
        self.assertEqual(asked, [("/v1/secret/data/partner", "vault.local", "s.token")])
        self.assertNotIn("s.token", self.proxy.log())

    def test_4_oauth2(self):
        idp = self.server(TokenEndpoint("/oauth2/token"))
        self.start_example("4_oauth2.yaml", {8081: self.server(Workload()).port, 8083: idp.port}, {"CLIENT_SECRET": "a+b"})
        self.assertEqual(self.ask(authorization="Bearer forged")["authorization"], "Bearer token-orders")
        secret, form = idp.asked["orders"]
        self.assertEqual((secret, form["grant_type"], form["scope"]), ("a+b", "client_credentials", "payments.read payments.write"))

    def test_5_three_upstreams(self):
        idp, partner = self.server(TokenEndpoint("/oauth2/token")), self.server(TokenEndpoint("/token"))
        ports = {number: self.server(Workload()).port for number in (8091, 8092, 8093)}
        self.start_example("5_three_upstreams.yaml", {**ports, 8083: idp.port, 8084: partner.port},
                           {"BILLING_SECRET": "b", "SEARCH_SECRET": "s", "MAIL_PASSWORD": "m"})
        self.assertEqual(self.ask(host="billing.local")["authorization"], "Bearer token-orders")
        self.assertEqual(self.ask(host="eu.search.local")["authorization"], "Bearer token-orders-search")
        mail = self.ask(host="mail.local", method="POST", cookie="c")
        self.assertEqual(mail["x-partner-token"], "token-mailer")
        self.assertFalse({"authorization", "cookie"} & mail.keys(), mail)
        other = self.ask(host="mail.local")
        self.assertEqual(self.ask(host="billing.local:1")["authorization"], "Bearer token-orders", "the port is ignored")
        self.assertEqual(request(self.port, host="billing.local.").status, 404)
        self.assertFalse({"authorization", "x-partner-token"} & other.keys(), other)
        wait_until(lambda: set(idp.asked) == {"orders", "orders-search"}, "both clients")
        self.assertEqual((idp.asked["orders"][0], idp.asked["orders"][1]["audience"]), ("b", "billing"))
        self.assertEqual((idp.asked["orders-search"][0], idp.asked["orders-search"][1]["scope"]), ("s", "search.query"))
        form = partner.asked["mailer"][1]
        self.assertEqual((form["grant_type"], form["username"], form["password"]), ("password", "orders", "m"))


    def test_6_workload_identity(self):
        token = "e30.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDpvcmRlcnMifQ.c2ln"
        os.mkdir(os.path.join(self.directory, "identity"))
        Mount(os.path.join(self.directory, "identity", "sa"), token=token + "\n")
        idp = self.server(TokenEndpoint("/oauth2/token"))
        self.start_example("6_workload_identity.yaml", {8081: self.server(Workload()).port, 8083: idp.port},
                           paths={"build/identity": os.path.join(self.directory, "identity")})
        self.assertEqual(self.ask(authorization="Bearer forged")["authorization"], "Bearer token-orders")
        secret, form = idp.asked["orders"]
        self.assertEqual((secret, form["client_assertion"]), (None, token))
        self.assertEqual(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        self.assertNotIn(token, self.proxy.log())

    def test_7_token_exchange(self):
        asked = []

        def exchange(handler):
            form = dict(urllib.parse.parse_qsl(handler.body.decode()))
            asked.append((handler.path, base64.b64decode(handler.headers["authorization"].removeprefix("Basic ")), form))
            token = {"access_token": f"{form['subject_token']}-at-{form['audience']}", "token_type": "Bearer", "expires_in": 600,
                     "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}
            return 200, {"content-type": "application/json"}, json.dumps(token).encode()
        ports = {number: self.server(Workload()).port for number in (8091, 8092)}
        self.start_example("7_token_exchange.yaml", {**ports, 8083: self.server(PythonServer(exchange)).port}, {"CLIENT_SECRET": "a+b"})
        for _ in range(3):
            self.assertEqual(self.ask("/orders/1", authorization="Bearer alice")["authorization"], "Bearer alice-at-orders")
            self.assertEqual(self.ask("/stock/1", authorization="Bearer alice")["authorization"], "Bearer alice-at-stock")
        self.assertEqual([(path, login, form["subject_token"], form["audience"], form.get("scope")) for path, login, form in asked],
                         [("/oauth2/token", b"gateway:a%2Bb", "alice", "orders", None), ("/oauth2/token", b"gateway:a%2Bb", "alice", "stock", "read")])
        refused = request(self.port, "/orders")
        self.assertEqual((refused.status, refused.get("www-authenticate")), (401, "Bearer"))
        self.assertEqual(request(self.port, "/elsewhere", headers={"authorization": "Bearer alice"}).status, 404)


    def test_8_verified_tokens(self):
        asked = []

        def answer(handler):
            asked.append((handler.command, handler.path))
            if handler.command == "GET":
                return 200, {}, key_set("k1").encode()
            form = dict(urllib.parse.parse_qsl(handler.body.decode()))
            return 200, {"content-type": "application/json"}, json.dumps({"access_token": f"at-{form['audience']}", "token_type": "Bearer", "expires_in": 600,
                                                                         "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}).encode()
        ports = {number: self.server(Workload()).port for number in (8091, 8092)}
        self.start_example("8_verified_tokens.yaml", {**ports, 8083: self.server(PythonServer(answer)).port}, {"CLIENT_SECRET": "a+b"})

        def caller(**claims):
            claims = {"iss": "https://login.example.com", "aud": "gateway", "sub": "alice", "exp": soon(), **claims}
            return "Bearer " + token(claims, {"kid": "k1"}, claims.pop("secret", SECRET))
        self.assertEqual(self.ask("/orders/1", authorization=caller())["authorization"], "Bearer at-orders")
        self.assertEqual(asked[0], ("GET", "/oauth2/keys"))
        exchanges = asked.count(("POST", "/oauth2/token"))
        for wrong, status in (({"secret": b"forged"}, 401), ({"exp": 1}, 401), ({"iss": "x"}, 401), ({"aud": "x"}, 403)):
            self.assertEqual(request(self.port, "/stock", headers={"authorization": caller(**wrong)}).status, status)
        self.assertEqual(request(self.port, "/orders").status, 401)
        self.assertEqual((asked.count(("POST", "/oauth2/token")), exchanges), (1, 1), "nothing that is not good was exchanged")
        self.assertEqual(request(self.port, "/elsewhere").status, 404)


@inlay_only("reads; nothing runs")
class Build(unittest.TestCase):
    def test_make_build_makes_every_module_that_an_example_or_a_guide_runs(self):
        named = set()
        for folder in ("examples", "docs/guide", "filters"):
            for place, _, files in os.walk(os.path.join(ROOT, folder)):
                for name in files:
                    if name.endswith((".md", ".yaml")):
                        with open(os.path.join(place, name)) as file:
                            named |= set(re.findall(r"\bbuild/(\w+)\.wasm", file.read()))
        with open(os.path.join(ROOT, "Makefile")) as file:
            made = re.search(r"(?m)^build:\n.*\n.*scripts/build \$\(PRESET\) (.*)$", file.read())[1].split()
        named.discard("greeter")  # the folder that docs/guide/install.md has the reader make
        self.assertGreater(len(named), 1)
        for name in named:
            self.assertIn(name + "_wasm", made, f"build/{name}.wasm is named, and `make build` does not make it")


if __name__ == "__main__":
    unittest.main()
