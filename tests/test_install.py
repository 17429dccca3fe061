# SPDX-License-Identifier: Apache-2.0
"""What is installed is used from another tree as docs/guide/out_of_tree.md says: its commands run as they stand there, but
for the ports. The clone's own folders are nowhere in what they build."""

import glob
import os
import re
import shutil
import subprocess
import unittest

from support import config
from support.both import inlay_only
from support.envoy import Envoy, needs_envoy
from support.origins import Echo, echoed
from support.processes import BUILD, ROOT, SANITIZED, TestCase, free_port, wait_until

GUIDE = os.path.join(ROOT, "docs", "guide", "out_of_tree.md")


def guide_blocks(language):
    with open(GUIDE) as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.M | re.S)


def guide_commands(word):
    """The lines of the guide's one block of commands that has `word` in it."""
    (block,) = (block for block in guide_blocks("sh") if word in block)
    return block.splitlines()


@inlay_only("what is built with the installed tree")
@unittest.skipIf(SANITIZED, "a program of another tree is not built with sanitizers")
class Installed(TestCase):
    def setUp(self):
        super().setUp()
        self.home = os.path.join(self.directory, "home")
        self.prefix = os.path.join(self.home, "inlay")
        self.run_command(["cmake", "--install", BUILD, "--prefix", self.prefix])

    def run_command(self, command, directory=None):
        environment = {**os.environ, "HOME": self.home, "CMAKE_GENERATOR": "Ninja"}
        done = subprocess.run(command, cwd=directory or ROOT, env=environment, shell=isinstance(command, str), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, f"{command}:\n{done.stdout}")
        return done.stdout

    def build_project(self, name):
        """Runs the guide's commands for a project; returns its folder."""
        copy, enter, *rest = guide_commands(f"cp -r examples/{name}")
        self.run_command(copy)
        self.assertEqual(enter, f"cd $HOME/{name}")
        folder = os.path.join(self.home, name)
        for command in rest:
            self.output = self.run_command(command, folder)
        return folder

    def test_a_filter_by_the_guides_commands(self):
        folder = self.build_project("own_filter")
        self.assertIn("own_filter.wasm: ", self.output)

        # The bootstrap as it ships, and the commands that run it, with other ports.
        ports = {number: str(free_port()) for number in ("8080", "8081", "9901")}
        path = os.path.join(folder, "envoy.yaml")
        with open(path) as file:
            bootstrap = file.read()
        echo, run, curl = guide_commands("inlay run")
        for number, port in ports.items():
            bootstrap, echo, curl = (text.replace(number, port) for text in (bootstrap, echo, curl))
        with open(path, "w") as file:
            file.write(bootstrap)
        for name, command, number in (("workload", echo, "8081"), ("inlay", run, "8080")):
            command = command.removesuffix(" &").replace("$HOME", self.home)
            self.start_program(name, ["sh", "-c", f"cd {folder} && exec {command}"], int(ports[number]))
        self.assertIn("x-greeting: hello", self.run_command(curl))

    @needs_envoy()
    def test_the_filter_in_envoy(self):
        folder = self.build_project("own_filter")
        workload = self.start(Echo(self.directory))
        filters = [config.wasm(os.path.join(folder, "build", "own_filter.wasm"), "hello", name="own_filter")]
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", workload.port)], filters), kind=Envoy)
        wait_until(lambda: echoed(proxy.port)["headers"].get("x-greeting") == "hello", "the greeting")

    def test_an_embedder_by_the_guides_commands(self):
        self.build_project("own_filter")
        folder = self.build_project("embed")
        self.assertEqual(self.output, ":method: GET\n:path: /\n:authority: example\nx-greeting: hello\n")

        # The module says no to an empty configuration, and what is no module is refused; both in words.
        embed = os.path.join(folder, "build", "embed")
        module = os.path.join(self.home, "own_filter", "build", "own_filter.wasm")
        for arguments, words in (([module], "the configuration has to be the greeting"), ([GUIDE], "not a WebAssembly module")):
            done = subprocess.run([embed, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)

        (command,) = guide_commands("pkg-config")
        self.run_command(command, folder)
        output = self.run_command([os.path.join(folder, "embed"), module, "hello"])
        self.assertIn("x-greeting: hello", output)

    def test_the_folder_can_be_moved_and_knows_nothing_of_the_clone(self):
        moved = os.path.join(self.directory, "moved")
        shutil.move(self.prefix, moved)
        for path in glob.glob(os.path.join(moved, "**", "*"), recursive=True):
            if os.path.isfile(path) and path.endswith((".cmake", ".pc", ".h")):
                with open(path) as file:
                    text = file.read()
                for folder in (ROOT, BUILD, self.prefix):
                    self.assertNotIn(folder, text, path)
        shutil.copytree(os.path.join(ROOT, "examples", "own_filter"), os.path.join(self.home, "elsewhere"))
        elsewhere = os.path.join(self.home, "elsewhere")
        self.run_command(["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={moved}"], elsewhere)
        self.run_command(["cmake", "--build", "build"], elsewhere)

    def test_every_header_that_is_installed_finds_what_it_includes(self):
        include = os.path.join(self.prefix, "include", "inlay")
        headers = sorted(os.path.relpath(path, include) for path in glob.glob(os.path.join(include, "**", "*.h"), recursive=True))
        self.assertGreater(len(headers), 40)
        for of_sdk in (True, False):
            source = os.path.join(self.directory, "all.cc")
            with open(source, "w") as file:
                file.writelines(f'#include "{name}"\n' for name in headers if name.startswith("sdk/") == of_sdk)
            self.run_command(["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{include}", source])

    def test_a_component_that_is_not_there_is_named(self):
        project = os.path.join(self.directory, "project")
        os.mkdir(project)
        with open(os.path.join(project, "CMakeLists.txt"), "w") as file:
            file.write("cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES NONE)\n"
                       "find_package(inlay REQUIRED COMPONENTS sdk gateway)\n")
        done = subprocess.run(["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={self.prefix}"], cwd=project, capture_output=True, text=True,
                              check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("inlay has no component 'gateway'; there are: sdk, host", re.sub(r"\s+", " ", done.stderr))


@inlay_only("builds; nothing runs")
class LessThanAll(TestCase):
    def targets(self, *options):
        build = os.path.join(self.directory, "build")
        done = subprocess.run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", *options], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = subprocess.run(["ninja", "-C", build, "-t", "targets", "all"], capture_output=True, text=True, check=True).stdout.splitlines()
        shutil.rmtree(build)
        return {line.partition(":")[0] for line in lines}

    def test_without_the_proxy(self):
        found = self.targets("-DINLAY_PROXY=OFF")
        self.assertIn("libinlay_host.a", found)
        self.assertIn("host_tests", found)
        self.assertIn("header_augmenting_wasm", found)
        self.assertFalse({"inlay", "proxy_tests", "conformance_tests"} & found)

    def test_without_modules(self):
        """The compiler for modules is not even looked for: one that is not there is no error."""
        found = self.targets("-DINLAY_WASM=OFF", "-DINLAY_WASM_CXX=/nowhere/clang++")
        self.assertIn("inlay", found)
        self.assertFalse([name for name in found if name.endswith("_wasm") or name.endswith(".wasm")])

    def test_the_libraries_alone(self):
        found = self.targets("-DINLAY_PROXY=OFF", "-DINLAY_WASM=OFF", "-DINLAY_TESTS=OFF")
        self.assertIn("libinlay_engine.a", found)
        self.assertFalse([name for name in found if name.endswith("_tests")])


@inlay_only("reads; nothing runs")
class GuideShows(unittest.TestCase):
    def test_the_files_that_ship(self):
        for block in guide_blocks("cmake"):
            name = re.search(r"project\((\w+)", block)[1]
            with open(os.path.join(ROOT, "examples", name, "CMakeLists.txt")) as file:
                self.assertTrue(file.read().endswith(block), name)


if __name__ == "__main__":
    unittest.main()
