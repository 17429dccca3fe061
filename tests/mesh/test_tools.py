# SPDX-License-Identifier: Apache-2.0
"""What others do with what `inlay package` and `inlay deploy render` make: crane, oras, kustomize."""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import tarfile

from mesh.world import ISTIOD, MeshCase
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


class ForeignImages(Tools):
    """What pilot-agent's own code pulls, `inlay deploy check` finds good, and what it refuses it does not: images that others make, and some
    that are wrong. Each is a change of what `inlay package` makes."""

    GZIP, PLAIN = "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar"
    DOCKER, DOCKER_LAYER = "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"
    INDEX = "application/vnd.oci.image.index.v1+json"

    def blob(self, layout, content):
        with open(os.path.join(layout, "blobs", "sha256", digest_of(content)[7:]), "wb") as file:
            file.write(content)
        return {"digest": digest_of(content), "size": len(content)}

    def image(self, name, form, change=None, platforms=None):
        """A layout whose manifest has been changed, and that perhaps stands in an index of platforms."""
        layout = self.path(name)
        subprocess.run([INLAY, "package", filter_module(), "-o", layout, "--form", form, "-q"], check=True, capture_output=True)
        index = json.loads(read(layout, "index.json"))
        listed = index["manifests"][0]
        manifest = json.loads(read(layout, "blobs", "sha256", listed["digest"][7:]))
        if change:
            change(layout, manifest)
        listed.update(self.blob(layout, json.dumps(manifest).encode()), mediaType=manifest["mediaType"])
        if platforms:
            entries = [{"mediaType": manifest["mediaType"], "digest": listed["digest"], "size": listed["size"],
                        **({"platform": dict(zip(("os", "architecture"), platform.split("/")))} if platform else {})} for platform in platforms]
            content = json.dumps({"schemaVersion": 2, "mediaType": self.INDEX, "manifests": entries}).encode()
            listed.update(self.blob(layout, content), mediaType=self.INDEX)
        with open(os.path.join(layout, "index.json"), "w") as file:
            json.dump(index, file)
        return layout

    def uncompressed(self, layout, manifest):
        layer = manifest["layers"][0]
        layer.update(self.blob(layout, gzip.decompress(read(layout, "blobs", "sha256", layer["digest"][7:]))), mediaType=self.PLAIN)

    def as_docker(self, layer_type):
        def change(_, manifest):
            manifest["mediaType"] = self.DOCKER
            manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
            manifest["layers"][-1]["mediaType"] = layer_type
        return change

    def another_layer(self, _, manifest):
        manifest["layers"].insert(0, manifest["layers"][0])

    def without_the_module(self, layout, manifest):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as files:
            files.addfile(tarfile.TarInfo("other.wasm"))
        manifest["layers"][0].update(self.blob(layout, archive.getvalue()))

    def test_the_check_agrees_with_pilot_agent(self):
        images = {
            "compat": ("compat",), "artifact": ("artifact",), "docker": ("compat", self.as_docker(self.DOCKER_LAYER)),
            "docker-oci-layer": ("compat", self.as_docker(self.GZIP)), "oci-docker-layer": (
                "compat", lambda _, manifest: manifest["layers"][0].update(mediaType=self.DOCKER_LAYER)),
            "uncompressed": ("compat", self.uncompressed), "three-layers": ("artifact", self.another_layer),
            "two-layers": ("compat", self.another_layer), "other-name": ("compat", self.without_the_module),
            "amd64": ("compat", None, ["linux/amd64"]), "several": ("compat", None, ["linux/arm64", "linux/amd64"]),
            "no-platform": ("compat", None, [None]), "wasi": ("compat", None, ["wasi/wasm"]), "arm64": ("compat", None, ["linux/arm64"])}
        port = start_registry(self)
        checked, names = {}, {}
        for name, how in images.items():
            layout = self.image(name, *how)
            done = subprocess.run([INLAY, "deploy", "check", layout], capture_output=True, text=True, check=False)
            checked[name] = done.returncode == 0
            names[name] = f"127.0.0.1:{port}/{name}:latest"
            self.run_tool("oras", "cp", "--from-oci-layout", f"{layout}:latest", names[name], "--to-plain-http")
        said = subprocess.run([ISTIOD, "pull", *names.values()], capture_output=True, text=True, check=True).stdout
        module = hashlib.sha256(read(filter_module())).hexdigest()
        pulled = {name: f"{image} module {module}" in said for name, image in names.items()}
        self.assertEqual(checked, pulled, said)
        self.assertEqual({name for name, good in pulled.items() if good},
                         {"compat", "artifact", "docker", "two-layers", "amd64", "several", "no-platform"})
        # Straight from the registry, as skopeo brings them.
        for name in ("compat", "artifact", "several", "wasi"):
            done = subprocess.run([INLAY, "deploy", "check", f"oci://{names[name]}"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode == 0, pulled[name], done.stdout + done.stderr)
        done = subprocess.run([INLAY, "deploy", "check", f"oci://127.0.0.1:{port}/none:latest"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be pulled; skopeo says: ", done.stderr)


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
