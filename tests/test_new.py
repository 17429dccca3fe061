# SPDX-License-Identifier: Apache-2.0
"""`inlay new --lang rust` and `--lang go`: what they make is built against the official SDKs and tested as its README says, and in Envoy.
tests/test_install.py has the same of C++. A toolchain that is not there, or an SDK that cannot be fetched, is a reason to skip: INLAY_GO_SDK
names a checkout of proxy-wasm-go-sdk where Go's module proxy has none."""

import os
import re
import shutil
import subprocess

from support.both import inlay_only
from support.envoy import find_envoy, needs_envoy
from support.processes import INLAY, TestCase, started
from support.rust import NO_RUST_FOR_WASI, has_rust_for_wasi, with_rust

GO_SDK = "github.com/proxy-wasm/proxy-wasm-go-sdk"


class Made:
    """The tests of each language."""

    LANGUAGE = ""

    def call(self, *command, fails=False):
        """The output of a command in the new folder, once that is there."""
        folder = self.folder if os.path.isdir(self.folder) else self.directory
        environment = {**os.environ, "PATH": f"{os.path.dirname(INLAY)}:{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=900, check=False)
        self.assertEqual(done.returncode != 0, fails, f"{command}:\n{done.stdout}")
        return done.stdout

    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.directory, "greeter")
        self.prepare()
        self.call(INLAY, "new", "greeter", "--lang", self.LANGUAGE)
        self.fetch()

    def prepare(self):
        """Skips where there is no toolchain."""

    def fetch(self):
        """Skips where the SDK cannot be had."""

    def test_is_built_and_tested_by_its_readme(self):
        with open(os.path.join(self.folder, "README.md")) as file:
            commands = re.findall(r"^    (make\b.*?)(?: *#.*)?$", file.read(), re.M)
        self.assertEqual(commands, ["make", "make test"])
        outputs = [self.call(*command.split()) for command in commands]
        self.assertIn("3 passed, 0 failed", outputs[1])
        self.look_at_sources()
        self.assertIn("2 passed, 0 failed, 1 skipped", self.call(INLAY, "test", "--world", "sockets", "cases"))

    def look_at_sources(self):
        """What else the language's own tools can say of them."""

    def test_a_configuration_that_it_refuses(self):
        self.call("make")
        path = os.path.join(self.folder, "cases", "filter.inc")
        with open(path) as file:
            text = file.read()
        self.assertIn("  x-user\n", text)
        with open(path, "w") as file:
            file.write(text.replace("  x-user\n", ""))
        self.assertIn("the configuration has to be the name of a header", self.call(INLAY, "test", "cases/passes.case", fails=True))

    @needs_envoy()
    def test_runs_in_envoy(self):
        self.call("make")
        started["envoy"] += 1
        self.assertIn("2 passed, 0 failed, 1 skipped", self.call(INLAY, "test", "--against", find_envoy()[0], "cases"))


@inlay_only("what it makes")
class Go(Made, TestCase):
    LANGUAGE = "go"

    def prepare(self):
        go = shutil.which("go")
        version = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout if go else ""
        if not go or tuple(map(int, re.findall(r"\d+", version)[:2])) < (1, 24):
            self.skipTest("Go 1.24 or newer is not installed")

    def fetch(self):
        if os.environ.get("INLAY_GO_SDK"):
            self.call("go", "mod", "edit", f"-replace={GO_SDK}={os.environ['INLAY_GO_SDK']}")
            return
        got = subprocess.run(["go", "mod", "download"], cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        if got.returncode != 0:
            self.skipTest(f"{GO_SDK} cannot be fetched, and INLAY_GO_SDK names no checkout of it")

    def look_at_sources(self):
        self.assertEqual(self.call("gofmt", "-l", "."), "")
        self.assertEqual(self.call("env", "GOOS=wasip1", "GOARCH=wasm", "go", "vet", "."), "")


@inlay_only("what it makes")
class Rust(Made, TestCase):
    LANGUAGE = "rust"

    def prepare(self):
        with_rust()
        if not shutil.which("cargo"):
            self.skipTest("cargo is not installed")
        # Debian's Rust has the library, and another package the linker.
        if not shutil.which("rustup") and shutil.which("wasm-ld"):
            os.environ.setdefault("CARGO_TARGET_WASM32_WASIP1_LINKER", "wasm-ld")
        if not has_rust_for_wasi():
            self.skipTest(NO_RUST_FOR_WASI)

    def fetch(self):
        got = subprocess.run(["cargo", "fetch", "--quiet"], cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        if got.returncode != 0:
            self.skipTest("the crate proxy-wasm cannot be fetched")


@inlay_only("what it makes")
class Folders(TestCase):
    def test_each_language_has_what_a_project_needs(self):
        for language, source in (("cpp", "filter.cc"), ("rust", "src/lib.rs"), ("go", "main.go")):
            name = f"in_{language}"
            subprocess.run([INLAY, "new", name, "--lang", language], cwd=self.directory, check=True, stdout=subprocess.DEVNULL)
            for path in (source, "Makefile", "README.md", ".gitignore", ".github/workflows/test.yml", "envoy.yaml", "cases/filter.inc",
                         "cases/passes.case", "cases/refused.case", "cases/bootstrap.case"):
                with open(os.path.join(self.directory, name, path)) as file:
                    self.assertNotIn("__name__", file.read(), path)
            with open(os.path.join(self.directory, name, ".github/workflows/test.yml")) as file:
                self.assertRegex(file.read(), r"(?m)^    - run: .*\bmake ci$")

    def test_another_language_is_refused(self):
        done = subprocess.run([INLAY, "new", "x", "--lang", "zig"], cwd=self.directory, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("{cpp,rust,go}", done.stderr)
