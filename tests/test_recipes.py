# SPDX-License-Identifier: Apache-2.0
"""The recipes in docs/recipes: each configuration is taken by Envoy and by `inlay validate`, and the filter has the conversations with
the providers that the pages show, which here are a server that answers as the pages say."""

import os
import re
import subprocess
import threading
import unittest

from support import config, recipes
from support.both import in_envoy_too, inlay_only
from support.certificates import Authority
from support.envoy import needs_envoy, validate
from support.origins import PythonServer
from support.processes import INLAY, TestCase, filter_module, wait_until
from support.wire import request

SECRET = "s3cr3t"
FILE = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDpvcmRlcnMifQ.c2lnbmVk"

# As examples/header_augmenting/4_oauth2.yaml is built.
WHOLE = """
static_resources:
  listeners:
  - name: main
    address:
      socket_address: {{address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: main
          route_config: {{virtual_hosts: [{{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, direct_response: {{status: 200}}}}]}}]}}
          http_filters:
          - name: header_augmenting
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: header_augmenting
                configuration:
                  "@type": type.googleapis.com/google.protobuf.StringValue
                  value: |
                    {configuration}
                vm_config:
                  vm_id: header_augmenting
                  runtime: envoy.wasm.runtime.v8
                  environment_variables: {{host_env_keys: [CLIENT_SECRET]}}
                  code: {{local: {{filename: {module}}}}}
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  {listeners}
  clusters:
  {clusters}
"""


def indented(text, spaces):
    return text.rstrip("\n").replace("\n", "\n" + " " * spaces)


class Whole(TestCase):
    """Each recipe as a bootstrap of its own, judged by check(path)."""

    def setUp(self):
        super().setUp()
        mount = os.path.join(self.directory, "sa")
        os.mkdir(mount)
        os.makedirs(os.path.join(self.directory, "build", "identity"))
        for name in ("token", "key.pem"):
            with open(os.path.join(mount, name), "w") as file:
                file.write("a file")
        self.stand_ins = {"/var/run/secrets/tokens/sa": mount,
                          "/etc/ssl/certs/ca-certificates.crt": Authority(self.directory, "ca").certificate}

    def each_is_taken(self, check):
        os.environ["CLIENT_SECRET"] = SECRET
        self.addCleanup(os.environ.pop, "CLIENT_SECRET")
        for recipe in recipes.recipes():
            with self.subTest(recipe.place):
                text = WHOLE.format(configuration=indented(recipe.text, 20), module=filter_module(),
                                    listeners=indented(recipes.listeners(recipes.INDEX), 2),
                                    clusters=indented("".join(recipe.clusters().values()), 2))
                for theirs, ours in self.stand_ins.items():
                    text = text.replace(theirs, ours)
                path = os.path.join(self.directory, "bootstrap.yaml")
                with open(path, "w") as file:
                    file.write(text)
                status, output = check(path)
                self.judge(text, status, output)

    def judge(self, text, status, output):
        self.assertEqual(status, 0, output + text)


@inlay_only("its own verb")
class InInlay(Whole):
    def check(self, path):
        done = subprocess.run([INLAY, "validate", "-c", path], cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=600, check=False)
        return done.returncode, done.stdout.decode()

    def test_each_is_taken(self):
        self.each_is_taken(self.check)

    def test_the_filter_reads_the_configuration(self):
        recipe = recipes.recipes()[0]
        text = WHOLE.format(configuration=indented(recipe.text.replace('"client_id"', '"client"'), 20), module=filter_module(), listeners="",
                            clusters=indented("".join(recipe.clusters().values()), 2))
        path = os.path.join(self.directory, "bootstrap.yaml")
        with open(path, "w") as file:
            file.write(text.replace("/etc/ssl/certs/ca-certificates.crt", self.stand_ins["/etc/ssl/certs/ca-certificates.crt"]))
        status, output = self.check(path)
        self.assertNotEqual(status, 0)
        self.assertIn("sources[0].oauth2.client", output)


@needs_envoy()
class InEnvoy(Whole):
    def test_each_is_taken(self):
        self.each_is_taken(lambda path: validate(path, self.directory))


class Provider(PythonServer):
    """Answers as the exchanges of a recipe say, and with the files; `error` is what it says to everything but these."""

    def __init__(self, exchanges, error=None, key=""):
        self.exchanges, self.error = exchanges, error
        self.files = {"/sa": FILE, "/key": key}
        self.wrong = []
        self.heard = set()
        self.lock = threading.Lock()
        super().__init__(self.answer)

    def answer(self, handler):
        line = f"{handler.command} {handler.path}"
        exchange = next((exchange for exchange in self.exchanges if exchange.request == line), None)
        if exchange is None and handler.path in self.files:
            return 200, {}, self.files[handler.path].encode()
        if self.error is not None:
            return self.error.status, {}, self.error.answer.encode()
        with self.lock:
            self.compare(exchange, handler, line)
        return exchange.status if exchange else 404, {}, exchange.answer.encode() if exchange else b""

    def compare(self, exchange, handler, line):
        if exchange is None:
            self.wrong.append(f"nobody knows of {line}")
            return
        self.heard.add(line)
        body = handler.body.decode()
        if not exchange.fits(exchange.body, body):
            self.wrong.append(f"{line}: the body is {body}")
        for name, value in exchange.headers.items():
            if not exchange.fits(value, handler.headers.get(name, "")):
                self.wrong.append(f"{line}: {name} is {handler.headers.get(name)}")
        if ("authorization" in handler.headers) != ("authorization" in exchange.headers):
            self.wrong.append(f"{line}: authorization")
        if "x-forwarded-for" in handler.headers:  # which a metadata server refuses
            self.wrong.append(f"{line}: x-forwarded-for")


def private_key(alg):
    options = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if alg == "ES256" else ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    return subprocess.run(["openssl", "genpkey", "-algorithm", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()


@in_envoy_too
class Conversations(TestCase):
    def start_all(self, recipe, error=None):
        """The proxy with a recipe's configuration, its clusters all leading to the provider."""
        alg = re.search(r'"alg": "(\w+)"', recipe.text)
        self.provider = Provider(recipe.exchanges, error, private_key(alg[1]) if alg else "")
        self.addCleanup(self.provider.close)
        clusters = [config.cluster(name, self.provider.port) for name in recipe.clusters()]
        augmenter = config.wasm(filter_module(), recipe.text, name="header_augmenting", vm_id="recipes")
        augmenter["typed_config"]["config"]["vm_config"]["environment_variables"] = {"key_values": {"CLIENT_SECRET": SECRET}}
        return self.start_proxy(config.bootstrap([config.cluster("origin", self.origin.port), *clusters], [augmenter]))

    def setUp(self):
        super().setUp()
        self.got = {}
        self.origin = PythonServer(self.serve)
        self.addCleanup(self.origin.close)

    def serve(self, handler):
        self.got = dict(handler.headers)
        return 200, {}, b""

    def has_result(self, proxy, result):
        return request(proxy.port).status == 200 and result.items() <= self.got.items()

    def signs(self, recipe):
        """Whether the proxy can do what the recipe needs."""
        return '"private_key_jwt"' not in recipe.text or self.since("1.37", new=True, old=False, why="it has no function `sign`")

    def test_each_is_had(self):
        played = 0
        for recipe in recipes.recipes():
            if not recipe.exchanges or not self.signs(recipe):
                continue
            with self.subTest(recipe.place):
                proxy = self.start_all(recipe)
                result = {name: value for exchange in recipe.exchanges for name, value in exchange.result.items()}
                self.assertTrue(result, "a conversation that leads to nothing")
                wait_until(lambda made=proxy, wanted=result: self.has_result(made, wanted), f"{result} on a request")
                self.assertEqual(self.provider.wrong, [])
                self.assertEqual(self.provider.heard, {exchange.request for exchange in recipe.exchanges})
                proxy.end()
                played += 1
        self.assertGreaterEqual(played, 12)

    def test_each_error_is_told(self):
        told = 0
        for recipe in recipes.recipes():
            for error in recipe.errors if self.signs(recipe) else []:
                with self.subTest(f"{recipe.place}: {error.log}"):
                    proxy = self.start_all(recipe, error)
                    wait_until(lambda made=proxy, words=error.log: words in made.log(), error.log)
                    self.assertEqual(request(proxy.port).status, 503)
                    proxy.end()
                    told += 1
        self.assertGreaterEqual(told, 6)


@inlay_only("reads; nothing runs")
class Pages(unittest.TestCase):
    def test_each_says_whether_it_was_run(self):
        rows = re.findall(r"^\| \[.*\]\((\w+\.md)\) \|.*\| (\w+)", recipes.read(recipes.INDEX), re.M)
        self.assertEqual(sorted(name for name, _ in rows), recipes.pages())
        for name, run in rows:
            with self.subTest(name):
                top = recipes.read(name).partition("\n## ")[0]
                if run == "yes":
                    self.assertIn("Run here", top)
                else:
                    self.assertRegex(top, r"From its documentation.* 2\d{3}-\d\d-\d\d, not run")

    def test_each_conversation_has_a_configuration(self):
        for recipe in recipes.recipes():
            with self.subTest(recipe.place):
                for error in recipe.errors:
                    self.assertTrue(error.log)
                self.assertEqual(len(recipe.clusters()), len({source["cluster"] for source in recipe.sources}))


if __name__ == "__main__":
    unittest.main()
