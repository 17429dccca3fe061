# SPDX-License-Identifier: Apache-2.0
"""`inlay package` and `inlay unpack`: images that a registry takes, that come back whole, and whose module runs from there."""

import gzip
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tarfile
import unittest

from support import config
from support.both import inlay_only
from support.origins import Echo, Provider, echoed
from support.processes import INLAY, TestCase, filter_module, wait_until
from support.registry import start_registry
from support.wire import request


def inlay(*arguments, environment=None, directory=None):
    done = subprocess.run([INLAY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, cwd=directory,
                          stdin=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": "", **(environment or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


@inlay_only("a subcommand of Inlay's")
class Packages(TestCase):
    def path(self, name):
        return os.path.join(self.directory, name)

    def package(self, output, *options, module=None, **more):
        status, out, err = inlay("package", module or filter_module(), "-o", self.path(output), *options, **more)
        self.assertEqual(status, 0, err)
        return out

    def push_lines(self, printed):
        """What `inlay package` has printed to push with, as a shell takes it apart."""
        return [shlex.split(line) for line in re.search(r"^  push ((?:.*\n)+?)  pull ", printed, re.M).group(1).splitlines()]

    def refused(self, *options, module=None, output="out", **more):
        status, out, err = inlay("package", module or filter_module(), "-o", self.path(output), *options, **more)
        self.assertEqual((status, out), (1, ""))
        return err


@inlay_only("a subcommand of Inlay's")
class Layout(Packages):
    def blob(self, layout, descriptor):
        content = read(self.path(layout), "blobs", "sha256", descriptor["digest"].split(":")[1])
        self.assertEqual("sha256:" + hashlib.sha256(content).hexdigest(), descriptor["digest"])
        self.assertEqual(len(content), descriptor["size"])
        return content

    def manifest(self, layout):
        index = json.loads(read(self.path(layout), "index.json"))
        self.assertEqual(json.loads(read(self.path(layout), "oci-layout")), {"imageLayoutVersion": "1.0.0"})
        self.assertEqual(len(index["manifests"]), 1)
        return json.loads(self.blob(layout, index["manifests"][0])), index["manifests"][0]

    def test_the_compat_form(self):
        self.package("out", "--version", "1.2.3", "--license", "Apache-2.0", "--annotation", "team=edge=1")
        manifest, descriptor = self.manifest("out")
        self.assertEqual(descriptor["annotations"], {"org.opencontainers.image.ref.name": "1.2.3"})
        self.assertEqual(manifest["annotations"]["module.wasm.image/variant"], "compat")
        self.assertEqual(manifest["annotations"]["org.opencontainers.image.title"], "header_augmenting")
        self.assertEqual(manifest["annotations"]["team"], "edge=1")
        self.assertEqual(manifest["annotations"]["inlay.module/sha256"], hashlib.sha256(read(filter_module())).hexdigest())
        self.assertNotIn("org.opencontainers.image.created", manifest["annotations"])
        layer = self.blob("out", manifest["layers"][0])
        unpacked = gzip.decompress(layer)
        settings = json.loads(self.blob("out", manifest["config"]))
        self.assertEqual(settings["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(unpacked).hexdigest()])
        with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
            (member,) = archive.getmembers()
            self.assertEqual((member.name, member.mtime, member.uid, member.gid, member.mode, member.uname),
                             ("plugin.wasm", 0, 0, 0, 0o644, ""))
            self.assertEqual(archive.extractfile(member).read(), read(filter_module()))

    def test_compressed_it_is_smaller_and_the_same_module(self):
        sizes = {}
        for name, options in (("stored", ()), ("compressed", ("--compress",))):
            self.package(name, *options)
            manifest, _ = self.manifest(name)
            layer = self.blob(name, manifest["layers"][0])
            sizes[name] = len(layer)
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
                self.assertEqual(archive.extractfile("plugin.wasm").read(), read(filter_module()))
        self.assertLess(sizes["compressed"], sizes["stored"] * 3 / 4)

    def test_the_artifact_form(self):
        self.package("out", "--form", "artifact", "--root-id", "main")
        manifest, _ = self.manifest("out")
        types = [layer["mediaType"] for layer in manifest["layers"]]
        self.assertEqual(types, ["application/vnd.module.wasm.config.v1+json",
                                 "application/vnd.module.wasm.content.layer.v1+wasm"])
        self.assertEqual(manifest["config"]["mediaType"], types[0])
        self.assertEqual(self.blob("out", manifest["layers"][1]), read(filter_module()))
        self.assertEqual(json.loads(self.blob("out", manifest["layers"][0])),
                         {"type": "envoy_proxy", "abiVersions": ["0.2.1"], "config": {"root_ids": ["main"]}})

    def test_the_same_input_gives_the_same_bytes(self):
        copy = self.path("header_augmenting.wasm")
        shutil.copy(filter_module(), copy)
        os.utime(copy, (1, 1))
        for form in ("compat", "artifact"):
            outs = [self.package(f"{form}.tar", "--form", form),
                    self.package(f"{form}-2.tar", "--form", form, module=copy, environment={"TZ": "Asia/Tokyo", "LANG": "C"})]
            self.assertEqual(read(self.path(f"{form}.tar")), read(self.path(f"{form}-2.tar")))
            digests = [re.search(r"digest +(sha256:[0-9a-f]{64})", out).group(1) for out in outs]
            self.assertEqual(digests[0], digests[1])
            status, out, _ = inlay("package", copy, "-o", self.path("quiet"), "--form", form, "-q")
            self.assertEqual((status, out), (0, digests[0] + "\n"))

    def test_a_date_only_from_source_date_epoch(self):
        self.package("out", environment={"SOURCE_DATE_EPOCH": "1700000000"})
        manifest, _ = self.manifest("out")
        self.assertEqual(manifest["annotations"]["org.opencontainers.image.created"], "2023-11-14T22:13:20Z")
        for wrong in ("yesterday", "-1", "12x"):
            self.assertIn("SOURCE_DATE_EPOCH", self.refused(environment={"SOURCE_DATE_EPOCH": wrong}))

    def test_tar_and_folder_have_the_same_files(self):
        self.package("out")
        self.package("out.tar")
        with tarfile.open(self.path("out.tar")) as archive:
            for member in archive.getmembers():
                self.assertEqual(archive.extractfile(member).read(), read(self.path("out"), member.name), member.name)
            names = archive.getnames()
        files = [os.path.relpath(os.path.join(where, name), self.path("out"))
                 for where, _, names_here in os.walk(self.path("out")) for name in names_here]
        self.assertEqual(sorted(names), sorted(files))

    def test_what_is_refused(self):
        self.assertIn("--max-size allows 1024", self.refused("--max-size", "1KiB"))
        size = os.path.getsize(filter_module())
        self.assertIn(f"it has {size} bytes; --max-size allows {size - 1}", self.refused("--max-size", str(size - 1)))
        self.package("fits", "--max-size", str(size))
        self.assertIn("'Header' is no repository's name", self.refused("--name", "Header"))
        self.assertIn("the tag '1+2' is none", self.refused("--version", "1+2"))
        self.package("out", "--version", "1+2", "--tag", "1-2")
        self.assertIn("KEY=VALUE", self.refused("--annotation", "novalue"))
        plain = self.path("plain.wasm")
        with open(plain, "wb") as file:
            file.write(b"\0asm\1\0\0\0")
        self.assertIn("proxy_abi_version_0_2_1", self.refused(module=plain))
        with open(plain, "wb") as file:
            file.write(b"(module)")
        self.assertIn("wat2wasm", self.refused(module=plain))
        self.assertIn("No such file", self.refused(module=self.path("none.wasm")))
        status, _, err = inlay("package", filter_module(), "-o", self.path("out"), "--max-size", "-1")
        self.assertEqual(status, 2)
        self.assertIn("--max-size", err)
        self.assertRegex(err, "must not be negative|-1 could not be converted")  # as this release's CLI11 says it
        self.assertFalse(os.path.exists(self.path("out.tar")))

    def test_the_lines_that_push(self):
        out = self.path("out")
        self.assertEqual(self.push_lines(self.package("out", "--version", "1")), [
            ["skopeo", "copy", "--preserve-digests", f"oci:{out}:1", "docker://REGISTRY/header_augmenting:1"],
            ["crane", "push", out, "REGISTRY/header_augmenting:1"],
            ["oras", "cp", "--from-oci-layout", f"{out}:1", "REGISTRY/header_augmenting:1"]])
        for name, repository in {"filters/one": "REGISTRY/filters/one", "registry.example/me/one": "registry.example/me/one",
                                 "localhost/one": "localhost/one", "localhost:5000/one": "localhost:5000/one"}.items():
            lines = self.push_lines(self.package("out", "--name", name))
            self.assertEqual([line[-1].removeprefix("docker://") for line in lines], [f"{repository}:latest"] * 3)

    def test_the_line_that_pushes_a_tar_file(self):
        # crane and oras take folders only.
        self.assertEqual(self.push_lines(self.package("a.tar", "--form", "artifact", "--tag", "t")), [
            ["skopeo", "copy", "--preserve-digests", f"oci-archive:{self.path('a.tar')}:t", "docker://REGISTRY/header_augmenting:t"]])

    def test_the_lines_are_for_a_shell(self):
        for name in ("a b", "it's $HOME"):
            self.assertEqual([line[-2] for line in self.push_lines(self.package(name))],
                             [f"oci:{self.path(name)}:latest", self.path(name), f"{self.path(name)}:latest"])

    def test_nothing_but_a_layout_is_overwritten(self):
        os.mkdir(self.path("mine"))
        with open(self.path("mine/precious"), "w") as file:
            file.write("content")
        self.assertIn("it stays as it is", self.refused(output="mine"))
        self.assertEqual(read(self.path("mine/precious")), b"content")
        self.package("out", "--version", "1")
        self.package("out", "--version", "2")
        self.assertEqual(self.manifest("out")[1]["annotations"]["org.opencontainers.image.ref.name"], "2")
        self.assertEqual(len(os.listdir(self.path("out/blobs/sha256"))), 3)  # nothing of the first is left
        self.assertEqual(sorted(os.listdir(self.directory)), ["mine", "out"])

    def test_inspect_and_unpack_take_a_layout(self):
        self.package("out", "--version", "1")
        self.package("out.tar", "--form", "artifact")
        for image in ("out", "out.tar"):
            status, out, err = inlay("inspect", self.path(image), "--json", "--no-wasm-opt")
            self.assertEqual(status, 0, err)
            found = json.loads(out)
            self.assertEqual(found["sha256"], hashlib.sha256(read(filter_module())).hexdigest())
            self.assertTrue(found["image"].startswith("sha256:"))
            status, out, err = inlay("unpack", self.path(image), "-o", self.path("back.wasm"))
            self.assertEqual((status, out), (0, self.path("back.wasm") + "\n"), err)
            self.assertEqual(read(self.path("back.wasm")), read(filter_module()))
        status, _, err = inlay("unpack", self.path("out"), "--tag", "7", "-o", self.path("x"))
        self.assertEqual(status, 1)
        self.assertIn("there are 1", err)
        status, _, err = inlay("unpack", filter_module(), "-o", self.path("x"))
        self.assertEqual(status, 1)
        self.assertIn("no image layout", err)

    def test_unpack_to_the_standard_output_writes_the_module_and_nothing_else(self):
        self.package("out")
        # What /dev/stdout leads to; that itself, for the whole machine, would be gone if a rename replaced it.
        done = subprocess.run([INLAY, "unpack", self.path("out"), "-o", "/proc/self/fd/1"], stdout=subprocess.PIPE, timeout=600)
        self.assertEqual((done.returncode, done.stdout), (0, read(filter_module())))

    def test_what_an_image_says_of_itself_does_not_reach_the_terminal_raw(self):
        self.package("out")
        with open(self.path("out/index.json")) as file:
            index = json.load(file)
        index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "\x1b[2Jgone"
        with open(self.path("out/index.json"), "w") as file:
            json.dump(index, file)
        status, _, err = inlay("inspect", self.path("out"), "--tag", "1")
        self.assertEqual(status, 1)
        self.assertNotIn("\x1b", err)
        self.assertIn("gone", err)

    def test_an_empty_name_is_an_error(self):
        for command in (["package", filter_module()], ["unpack", self.path("out")]):
            self.package("out")
            status, _, err = inlay(*command, "-o", "")
            self.assertEqual(status, 1)
            self.assertRegex(err, "name of the (layout|file) to write is empty")


@inlay_only("a subcommand of Inlay's")
@unittest.skipUnless(shutil.which("skopeo"), "there is no skopeo (scripts/bootstrap test)")
class PushedToAFolder(Packages):
    """The line that pushes, with a folder in the registry's place."""

    def copied(self, output, to, *options):
        """Where the image has been copied to, and its digest."""
        target = self.path(f"{to}-of-{output}")
        printed = self.package(output, "--version", "1.0", *options)
        line = self.push_lines(printed)[0]
        done = subprocess.run(["skopeo", "--tmpdir", self.directory, *line[1:-1], f"{to}:{target}"], timeout=600, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "HOME": self.directory})
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        return target, re.search(r"digest +(\S+)", printed).group(1)

    def test_as_a_layout_it_comes_back_whole(self):
        for output, options in {"compat": (), "artifact": ("--form", "artifact"), "compat.tar": (), "a b": ()}.items():
            with self.subTest(output):
                target, digest = self.copied(output, "oci", *options)
                index = json.loads(read(target, "index.json"))
                self.assertEqual([manifest["digest"] for manifest in index["manifests"]], [digest])
                status, _, err = inlay("unpack", target, "-o", self.path("back.wasm"))
                self.assertEqual(status, 0, err)
                self.assertEqual(read(self.path("back.wasm")), read(filter_module()))

    def test_as_a_folder_of_files_it_keeps_its_digest(self):
        target, digest = self.copied("out", "dir")
        self.assertEqual("sha256:" + hashlib.sha256(read(target, "manifest.json")).hexdigest(), digest)


@inlay_only("a subcommand of Inlay's")
class Registry(Packages):
    """A real registry, and skopeo as people use it."""

    def setUp(self):
        super().setUp()
        self.port = start_registry(self)

    def skopeo(self, *arguments):
        done = subprocess.run(["skopeo", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
                              env=dict(os.environ, HOME=self.directory, XDG_RUNTIME_DIR=self.directory))
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        return done.stdout.decode()

    def push(self, out):
        """Runs the very line that `inlay package` prints."""
        self.skopeo(*self.push_lines(out)[0][1:], "--dest-tls-verify=false")

    def round_trip(self, name, output, *options):
        out = self.package(output, "--name", f"127.0.0.1:{self.port}/{name}", "--version", "1.0", *options)
        digest = re.search(r"digest +(\S+)", out).group(1)
        self.push(out)
        manifest = request(self.port, f"/v2/{name}/manifests/{digest}",
                           headers={"accept": "application/vnd.oci.image.manifest.v1+json"})
        self.assertEqual(manifest.status, 200, manifest.body)
        self.assertEqual("sha256:" + hashlib.sha256(manifest.body).hexdigest(), digest)
        pulled = self.path(f"pulled-{name}")
        self.skopeo("copy", "--preserve-digests", "--src-tls-verify=false",
                    f"docker://127.0.0.1:{self.port}/{name}@{digest}", f"oci:{pulled}")
        status, _, err = inlay("unpack", pulled, "-o", self.path(f"{name}.wasm"))
        self.assertEqual(status, 0, err)
        self.assertEqual(read(self.path(f"{name}.wasm")), read(filter_module()))
        return self.path(f"{name}.wasm")

    def test_what_is_pulled_is_what_was_packaged_and_runs(self):
        module = self.round_trip("header_augmenting", "out")
        echo, provider = self.start(Echo(self.directory)), self.start(Provider(self.directory))
        clusters = [config.cluster("origin", echo.port), config.cluster("provider", provider.port)]
        plugin = config.wasm(module, {"header_providing_service_cluster": "provider",
                                      "header_providing_service_authority": "provider.test", "header_cache_expiry": "60s"})
        proxy = self.start_proxy(config.bootstrap(clusters, [plugin]))
        wait_until(lambda: request(proxy.port).status == 200, "the first token")
        self.assertRegex(echoed(proxy.port)["headers"]["authorization"], r"^Bearer 1\.")

    def test_both_forms_from_a_tar_file(self):
        self.round_trip("compat", "compat.tar")
        self.round_trip("artifact", "artifact.tar", "--form", "artifact")

    def test_as_a_docker_image(self):
        """Converted on the way to Docker's own media types, as older registries hold it."""
        self.package("out", "--tag", "1")
        self.skopeo("copy", "--format", "v2s2", "--dest-tls-verify=false", f"oci:{self.path('out')}:1",
                    f"docker://127.0.0.1:{self.port}/docker:1")
        manifest = json.loads(request(self.port, "/v2/docker/manifests/1", headers={
            "accept": "application/vnd.docker.distribution.manifest.v2+json"}).body)
        self.assertEqual([layer["mediaType"] for layer in manifest["layers"]],
                         ["application/vnd.docker.image.rootfs.diff.tar.gzip"])


if __name__ == "__main__":
    unittest.main()
