# SPDX-License-Identifier: Apache-2.0
"""What others do with what `inlay package` and `inlay deploy render` make: crane, oras, kustomize."""

import base64
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import tarfile

from mesh.world import MeshCase
from support.go_tools import tool
from support.processes import INLAY, filter_module
from support.registry import start_registry
from support.wire import request


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Tools(MeshCase):
    def path(self, *names):
        return os.path.join(self.directory, *names)

    def run_tool(self, name, *arguments, cwd=None):
        done = subprocess.run([tool(self, name), *arguments], capture_output=True, timeout=600, cwd=cwd or self.directory, check=False,
                              env={**os.environ, "HOME": self.directory})
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode(errors="replace"))
        return done.stdout


class Images(Tools):
    """The very lines that `inlay package` prints, against a registry, and what comes back."""

    def setUp(self):
        super().setUp()
        for name in ("crane", "oras"):
            tool(self, name)
        self.port = start_registry(self)

    def pushed(self, form, with_what):
        """Pushes by the line that begins with the tool's name: (repository, digest)."""
        repository = f"127.0.0.1:{self.port}/{form}-{with_what}"
        printed = subprocess.run([INLAY, "package", filter_module(), "-o", self.path(form), "--form", form, "--name", repository],
                                 capture_output=True, text=True, check=True).stdout
        line = next(words for words in map(shlex.split, printed.splitlines()) if with_what in words)
        flags = {"crane": ["--insecure"], "oras": ["--to-plain-http"]}[with_what]
        self.run_tool(with_what, *line[line.index(with_what) + 1:], *flags)
        digest = re.search(r"digest +(\S+)", printed)[1]
        name = repository.split("/", 1)[1]
        manifest = request(self.port, f"/v2/{name}/manifests/latest", headers={"accept": "application/vnd.oci.image.manifest.v1+json"})
        self.assertEqual((manifest.status, digest_of(manifest.body)), (200, digest))
        return repository, digest

    def test_the_lines_that_push_keep_the_digest(self):
        for form in ("compat", "artifact"):
            for name in ("crane", "oras"):
                with self.subTest(form=form, tool=name):
                    self.pushed(form, name)

    def test_oras_pull_gives_the_module(self):
        """As a file in the artifact form; in the other as the layer that it is, which tar takes it out of."""
        self.run_tool("oras", "pull", "--plain-http", "@".join(self.pushed("artifact", "oras")), "-o", self.path("pulled-artifact"))
        self.assertEqual(read(self.path("pulled-artifact"), "plugin.wasm"), read(filter_module()))
        self.run_tool("oras", "pull", "--plain-http", "@".join(self.pushed("compat", "oras")), "-o", self.path("pulled-compat"))
        self.assertEqual(os.listdir(self.path("pulled-compat")), ["plugin.wasm.tar.gz"])
        with tarfile.open(self.path("pulled-compat", "plugin.wasm.tar.gz")) as archive:
            self.assertEqual(archive.extractfile("plugin.wasm").read(), read(filter_module()))

    def test_crane_finds_both_forms_right(self):
        for form in ("compat", "artifact"):
            repository, digest = self.pushed(form, "crane")
            self.assertEqual(self.run_tool("crane", "digest", "--insecure", f"{repository}:latest").decode().strip(), digest)
        repository, digest = self.pushed("compat", "crane")
        self.run_tool("crane", "validate", "--insecure", "--remote", f"{repository}@{digest}")
        archive = self.run_tool("crane", "export", "--insecure", f"{repository}@{digest}", "-")
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            self.assertEqual(files.extractfile("plugin.wasm").read(), read(filter_module()))


class Kustomize(Tools):
    def documents(self, folder):
        return self.run_tool("kustomize", "build", folder).decode().split("\n---\n")

    def test_the_folders_build_and_the_config_map_has_the_module(self):
        self.render(self.values())
        kinds = []
        for target in ("kubernetes", "istio"):
            for document in self.documents(self.path(target)):
                kinds.append(re.search(r"^kind: (\w+)", document, re.M)[1])
                if kinds[-1] == "ConfigMap":
                    text = re.search(r"^  header_augmenting\.wasm: \|\n((?:    .*\n?)+)", document, re.M)[1]
                    self.assertEqual(base64.b64decode("".join(text.split())), read(filter_module()))
        self.assertEqual(sorted(kinds), ["ConfigMap", "Deployment", "EnvoyFilter", "ServiceAccount", "Sidecar", "TrafficExtension"])

    def test_others_take_it_in_as_a_component(self):
        """docs/guide/deploy.md: a kustomization of a team's own, with a Deployment of its own, which the component patches."""
        self.render(self.values(workload={"name": "orders"}, component=True))
        os.makedirs(self.path("team"))
        with open(self.path("team", "deployment.yaml"), "w") as file:
            json.dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "orders", "namespace": "shop"}, "spec": {
                "selector": {"matchLabels": {"app": "orders"}}, "template": {"metadata": {"labels": {"app": "orders"}}, "spec": {
                    "containers": [{"name": "orders", "image": "example.com/orders:1"}]}}}}, file)
        with open(self.path("team", "kustomization.yaml"), "w") as file:
            json.dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": ["deployment.yaml"],
                       "components": ["../kubernetes", "../istio"]}, file)
        documents = self.documents(self.path("team"))
        self.assertEqual(sorted(re.search(r"^kind: (\w+)", one, re.M)[1] for one in documents),
                         ["ConfigMap", "Deployment", "EnvoyFilter", "Sidecar", "TrafficExtension"])
        deployment = next(one for one in documents if "kind: Deployment" in one)
        self.assertIn("image: example.com/orders:1", deployment)
        self.assertIn("sidecar.istio.io/userVolumeMount:", deployment)
