# SPDX-License-Identifier: Apache-2.0
"""Every bootstrap that ships, every piece of one in the documents, and what `inlay deploy` renders, as Envoy reads it:
`envoy --mode validate` takes it, and warns of nothing."""

import glob
import os
import re
import shutil
import subprocess
import unittest

from support import guests
from support.both import inlay_only
from support.certificates import Authority
from support.dynamic_module import linked
from support.envoy import needs_envoy, validate
from support.processes import BUILD, INLAY, ROOT, TestCase, filter_module

TYPE = "type.googleapis.com/envoy.extensions."
ROUTER = f'{{name: router, typed_config: {{"@type": {TYPE}filters.http.router.v3.Router}}}}'
ROUTES = 'route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}]}'
TCP = f'[{{name: tcp, typed_config: {{"@type": {TYPE}filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: tcp, cluster: redis}}}}]'

# What a piece stands in: {piece} is its place, and its indentation.
TOP = "static_resources: {{}}\n{piece}"
CLUSTERS = "static_resources:\n  {piece}"
LISTENER = """
static_resources:
  clusters: [{{name: redis}}]
  listeners:
  - name: ingress
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    {piece}"""
MANAGER = f"""
static_resources:
  clusters: [{{{{name: modules}}}}]
  listeners:
  - name: ingress
    address: {{{{socket_address: {{{{address: 127.0.0.1, port_value: 0}}}}}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": {TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          {ROUTES.replace("{", "{{").replace("}", "}}")}
          %s"""
ROUTER_ONLY = f"http_filters: [{ROUTER}]".replace("{", "{{").replace("}", "}}")
FIELDS = MANAGER % ("{piece}\n          " + ROUTER_ONLY)
CHAIN = MANAGER % ("{piece}\n          - " + ROUTER.replace("{", "{{").replace("}", "}}"))
ADDRESS = f"""
static_resources:
  clusters: [{{{{name: redis}}}}]
  listeners:
  - name: ingress
    {{piece}}
    filter_chains: [{{{{filters: {TCP.replace("{", "{{").replace("}", "}}")}}}}}]"""
CLUSTER = """
static_resources:
  clusters:
  - name: upstream
    type: STATIC
    load_assignment: {{cluster_name: upstream, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 1}}}}}}}}]}}]}}
    {piece}"""
VIRTUAL_HOST = MANAGER.replace(ROUTES.replace("{", "{{").replace("}", "}}"), """route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              {piece}""").replace("clusters: [", "clusters: [{{name: workload}}, ") % ROUTER_ONLY
FILTER = MANAGER % f"""http_filters:
          - name: wasm
            typed_config:
              "@type": {TYPE}filters.http.wasm.v3.Wasm
              config:
                name: header_augmenting
                vm_config:
                  runtime: envoy.wasm.runtime.v8
                  %s
          - {ROUTER.replace("{", "{{").replace("}", "}}")}"""
CODE = FILTER % "{piece}"
CONFIGURATION = FILTER % """code: {{local: {{filename: build/header_augmenting.wasm}}}}
                configuration:
                  "@type": type.googleapis.com/google.protobuf.StringValue
                  value: |
                    {{"header_providing_service_cluster": "provider",
                    {piece}
                    }}"""
# By the first word of a piece, so that one of a new kind is an error until it has a place.
FRAMES = {"bootstrap_extensions": TOP, "clusters": CLUSTERS, "listeners": CLUSTERS, "filter_chains": LISTENER, "listener_filters": LISTENER, "access_log": FIELDS, "normalize_path": FIELDS, "upgrade_configs": FIELDS, "http_filters": CHAIN,
          "typed_extension_protocol_options": CLUSTER, "code": CODE, '"rules"': CONFIGURATION, "address": ADDRESS, "routes": VIRTUAL_HOST}
OTHERS = {"plugin": "values of `inlay deploy`", "services": "values of `inlay deploy`", "apiVersion": "a resource of a cluster's", "gateway": "values of `inlay deploy`", "module": "values of `inlay deploy`", "sources": "the filter's configuration, as values",
          "common_tls_context": "of a file with a secret (tests/test_secret_files.py)", "resources": "what such a file has"}
# What Envoy warns of, and why it stays.
KNOWN = ["Wasm remote code fetch is unstable and may cause a crash"]  # of Envoy; docs/guide/plugins.md says so
# What a document leaves out, line by line.
LEFT_OUT = [(r"filters: \.\.\.$", f"filters: {TCP}"),
            (r"config: \{\.\.\.\}$", "config: {vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: build/gate.wasm}}}}"),
            (r"^( *)\.\.\.$", rf"\1stat_prefix: ingress\n\1{ROUTES}\n\1http_filters: [{ROUTER}]")]


def documents():
    """The Markdown files of the repository."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode().split()
    return [path for path in listed if path not in ("CHANGELOG.md", "RATIONALE.md")]


def pieces(path):
    """(line, text) of each block of YAML or JSON in a document, with a fence or indented."""
    with open(os.path.join(ROOT, path)) as file:
        text = file.read()
    fenced = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
    found = [(match.start(2), match[2]) for match in fenced.finditer(text) if match[1] in ("yaml", "json")]
    without = fenced.sub(lambda match: re.sub(r"[^\n]", "", match[0]), text)
    if path != "conformance/README.md":  # whose blocks are cases
        found += [(match.start(), re.sub(r"^    ", "", match[0], flags=re.M))
                  for match in re.finditer(r"(?<=\n\n)    [\w\"]+:\n(?:    .*\n)+", without)]
    return [(text.count("\n", 0, at) + 1, piece) for at, piece in found]


def framed(piece):
    """A bootstrap with the piece in it, or why there can be none."""
    if piece.startswith("{"):
        return None, "what a command prints"
    word = re.match(r'["\w]+', piece)[0]
    if word in OTHERS:
        return None, OTHERS[word]
    for what, instead in LEFT_OUT:
        piece = re.sub(what, instead, piece, flags=re.M)
    frame = FRAMES[word]
    indent = re.search(r"^( *)\{piece\}", frame, re.M)[1]
    return frame.format(piece=piece.rstrip("\n").replace("\n", "\n" + indent)) + "\n", None


@needs_envoy()
class Shipped(TestCase):
    def setUp(self):
        super().setUp()
        # As a clone after `make build`.
        self.home = os.path.join(self.directory, "clone")
        os.makedirs(os.path.join(self.home, "build"))
        for module in glob.glob(os.path.join(BUILD, "wasm", "*.wasm")):
            os.symlink(module, os.path.join(self.home, "build", os.path.basename(module)))
        secret = os.path.join(self.home, "build", "secret")
        os.makedirs(secret)
        identity = os.path.join(self.home, "build", "identity", "sa")
        os.makedirs(identity)
        for path, content in ((os.path.join(secret, "headers.json"), "{}"), (os.path.join(identity, "token"), "a token"),
                              (os.path.join(identity, "key.pem"), "a key")):
            with open(path, "w") as file:
                file.write(content)
        consumer = guests.assemble(self.directory, "consumer", guests.guest(""))
        authority = Authority(self.directory, "ca")
        certificate, key = authority.issue("proxy", "DNS:proxy.example")
        self.stand_ins = {"/etc/envoy/header_augmenting.wasm": filter_module(), "filename: proxy.pem": f"filename: {certificate}",
                          "filename: proxy.key": f"filename: {key}", "filename: clients-ca.pem": f"filename: {authority.certificate}",
                          "filename: consumer.wasm": f"filename: {consumer}", "/var/log/inlay": self.directory,
                          "/var/run/secrets/orders": secret, "/var/run/secrets/tokens/sa": identity,
                          "/etc/ssl/certs/ca-certificates.crt": authority.certificate}

    def check(self, text, directory=None):
        library = os.path.join(self.home, "build", "libown_filter.so")
        if os.path.basename(library) in text and not os.path.exists(library):
            linked(os.path.dirname(library), os.path.join(self.home, "build", "own_filter.wasm"), name=os.path.basename(library))
        for theirs, ours in self.stand_ins.items():
            text = text.replace(theirs, ours)
        path = os.path.join(self.directory, "bootstrap.yaml")
        with open(path, "w") as file:
            file.write(text)
        status, output = validate(path, directory or self.home)
        self.assertEqual(status, 0, output + text)
        warnings = [line for line in output.splitlines() if "[warning]" in line and not any(known in line for known in KNOWN)]
        self.assertEqual(warnings, [])

    def check_file(self, path, directory=None):
        with open(path) as file:
            self.check(file.read(), directory)

    def test_files(self):
        listed = subprocess.run(["git", "ls-files", "filters", "examples", "sdk", "package", "deploy/envoy", "deploy/compose"],
                                cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode().split()
        bootstraps = []
        for name in listed:
            if name.endswith((".yaml", ".json")):
                with open(os.path.join(ROOT, name)) as file:
                    if "static_resources:" in file.read():
                        bootstraps.append(name)
        self.assertGreaterEqual(len(bootstraps), 11)
        shutil.copy(filter_module(), os.path.join(self.home, "header_augmenting.wasm"))  # beside deploy/envoy/envoy.yaml, once rendered
        for name in bootstraps:
            with self.subTest(name):
                self.check_file(os.path.join(ROOT, name))

    def test_documents(self):
        checked = 0
        for path in documents():
            for line, piece in pieces(path):
                with self.subTest(f"{path}:{line}"):
                    text, why = framed(piece)
                    if why is None:
                        self.check(text)
                        checked += 1
        self.assertGreaterEqual(checked, 9)

    def test_what_deploy_renders(self):
        os.makedirs(os.path.join(self.home, "deploy"))
        shutil.copy(os.path.join(ROOT, "deploy", "values.yaml"), os.path.join(self.home, "deploy"))
        for target in ("envoy", "compose"):
            with self.subTest(target):
                done = subprocess.run([INLAY, "deploy", "render", target, "-f", "deploy/values.yaml", "-o", target], cwd=self.home,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
                self.assertEqual(done.returncode, 0, done.stdout)
                folder = os.path.join(self.home, target)
                self.check_file(os.path.join(folder, "envoy.yaml"), folder)


@inlay_only("reads; nothing runs")
class Pieces(unittest.TestCase):
    def test_each_has_a_place_or_a_reason(self):
        for path in documents():
            for line, piece in pieces(path):
                with self.subTest(f"{path}:{line}"):
                    framed(piece)


if __name__ == "__main__":
    unittest.main()
