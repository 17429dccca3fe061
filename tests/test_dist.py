# SPDX-License-Identifier: Apache-2.0
"""What `make dist` makes of a build, on the build that the tests have: twice the same bytes, what is in them, and the wheel installed.
`make dist` itself has lintian look at the package, packs all of it a second time, and tries each in a fresh Debian (scripts/dist_try), which
takes minutes. Nothing is compressed well here, since that is what takes the time."""

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import zipfile

from support.both import inlay_only
from support.processes import BUILD, ROOT, SANITIZED, TestCase, filter_module

DISTRIBUTION = os.path.join(ROOT, "scripts", "distribution")
DATE = "1700000000"
RUNTIME = os.path.join(BUILD, "inlay_dynamic_module.o")  # where what is linked into it was there


def version():
    with open(os.path.join(ROOT, "CMakeLists.txt")) as file:
        return re.search(r"^project\(inlay VERSION (\S+)", file.read(), re.M)[1]


def run(*command, **more):
    environment = {**os.environ, "VERSION": version(), "SOURCE_DATE_EPOCH": DATE, "COMMIT": "c" * 40, "LC_ALL": "C", "TZ": "UTC",
                   "DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"}
    environment.pop("DESTDIR", None)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600, env=environment, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}:\n{done.stdout}{done.stderr}")
    return done.stdout


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class DistCase(TestCase):
    def twice(self, make):
        """The path that make(folder) returns, for one of two folders whose results are the same."""
        made = []
        for number in "12":
            folder = os.path.join(self.directory, number)
            os.mkdir(folder)
            made.append(make(folder))
        self.assertEqual(digest(made[0]), digest(made[1]))
        return made[0]


@inlay_only("what is packed")
@unittest.skipIf(SANITIZED, "a package is made of a build without sanitizers")
class Deb(DistCase):
    @unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "dpkg-shlibdeps is not installed")
    def test_is_the_same_twice_and_knows_what_it_needs(self):
        package = self.twice(lambda folder: run(os.path.join(DISTRIBUTION, "deb"), BUILD, folder).strip())
        self.assertEqual(run("dpkg-deb", "-f", package, "Version").strip(), version() + "-1")
        depends = run("dpkg-deb", "-f", package, "Depends")
        needed = re.findall(r"NEEDED +(\S+)", run("objdump", "-p", os.path.join(BUILD, "inlay")))
        self.assertIn("libc6 (>= ", depends)
        self.assertEqual("libssl" in depends, any(name.startswith("libssl") for name in needed), depends)
        names = run("dpkg-deb", "-c", package)
        for name in ("usr/bin/inlay", "usr/share/bash-completion/completions/inlay", "usr/share/zsh/vendor-completions/_inlay",
                     "usr/share/man/man1/inlay.1.gz", "usr/share/inlay/header_augmenting.wasm", "usr/include/inlay/sdk/sdk.h",
                     "usr/lib/cmake/inlay/inlay-config.cmake", "usr/share/doc/inlay/copyright", "usr/share/doc/inlay/docs/guide/test.md",
                     "usr/share/doc/inlay/licences/wabt"):
            self.assertIn(f" ./{name}\n", names)
        self.assertEqual(" ./usr/lib/inlay/inlay_dynamic_module.o\n" in names, os.path.exists(RUNTIME))


@inlay_only("what is packed")
@unittest.skipIf(SANITIZED, "a package is made of a build without sanitizers")
class Wheel(DistCase):
    def wheel(self):
        tree = os.path.join(self.directory, "tree")
        run("cmake", "--install", BUILD, "--prefix", tree, "--strip")
        shutil.copy(os.path.join(ROOT, "README.md"), os.path.join(tree, "share", "doc", "inlay"))
        return self.twice(lambda folder: run(os.path.join(DISTRIBUTION, "wheel.py"), tree, folder, os.uname().machine).strip())

    def test_is_the_same_twice_says_what_it_needs_and_is_installed_by_pip(self):
        wheel = self.wheel()
        needed = max(tuple(map(int, found)) for found in
                     re.findall(r"GLIBC_(\d+)\.(\d+)", run("objdump", "-T", os.path.join(BUILD, "inlay"))))
        self.assertEqual(os.path.basename(wheel),
                         f"inlay-{version()}-py3-none-manylinux_{needed[0]}_{needed[1]}_{os.uname().machine}.whl")
        with zipfile.ZipFile(wheel) as file:
            record = file.read(f"inlay-{version()}.dist-info/RECORD").decode()
            self.assertEqual([line.split(",")[0] for line in record.splitlines()], file.namelist())
        environment = os.path.join(self.directory, "environment")
        try:
            run(sys.executable, "-m", "venv", "--without-pip", environment)
            run(sys.executable, "-m", "pip", "--version")
        except AssertionError:
            self.skipTest("all but the installation has passed: venv or pip is not installed")
        run(sys.executable, "-m", "pip", "--python", os.path.join(environment, "bin", "python"), "install", "--no-index", "--quiet", wheel)
        for command in ([os.path.join(environment, "bin", "inlay")], [os.path.join(environment, "bin", "python"), "-m", "inlay"]):
            self.assertEqual(run(*command, "version"), f"inlay {version()}\n")
        self.assertTrue(glob.glob(os.path.join(environment, "lib", "cmake", "inlay", "inlay-config.cmake")))
        if os.path.exists(RUNTIME):
            library = os.path.join(self.directory, "libfilter.so")
            run(os.path.join(environment, "bin", "inlay"), "compile", "--dynamic-module", "own=" + filter_module("own_filter.wasm"), "-o", library)
            self.assertIn("own", run(os.path.join(environment, "bin", "inlay"), "inspect", library))


@inlay_only("what is packed")
class Sbom(DistCase):
    def test_names_what_the_program_is_made_of(self):
        artifact = os.path.join(self.directory, "artifact")
        with open(artifact, "w") as file:
            file.write("x")
        script = os.path.join(DISTRIBUTION, "sbom.py")

        def make(folder):
            path = os.path.join(folder, "x.spdx.json")
            run(script, BUILD, "document", path, artifact)
            return path
        with open(make(self.directory)) as file:
            document = json.load(file)
        packages = {entry["name"]: entry for entry in document["packages"]}
        self.assertEqual(packages["inlay"]["checksums"][0]["checksumValue"], hashlib.sha256(b"x").hexdigest())
        ways = {one["relatedSpdxElement"]: one["relationshipType"] for one in document["relationships"]}
        installed = run("dpkg-query", "-W", "-f", "${Version}", "wabt")
        self.assertEqual(packages["wabt"]["versionInfo"], installed)
        self.assertEqual(ways[packages["wabt"]["SPDXID"]], "STATIC_LINK")
        for name in ("rapidjson-dev", "libcli11-dev"):
            self.assertEqual(ways[packages[name]["SPDXID"]], "CONTAINS")
        self.assertIn("libssl", " ".join(packages))
        self.assertEqual(len({entry["SPDXID"] for entry in document["packages"]}), len(document["packages"]))

        folder = os.path.join(self.directory, "licences")
        run(script, BUILD, "licences", folder)
        for name in ("wabt", "rapidjson-dev"):
            self.assertGreater(os.path.getsize(os.path.join(folder, name)), 100)
