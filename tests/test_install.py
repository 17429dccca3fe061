# SPDX-License-Identifier: Apache-2.0
"""What is installed is used from another tree as docs/guide/out_of_tree.md says: its commands run as they stand there, but
for the ports. The clone's own folders are nowhere in what they build."""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import unittest

from support import config
from support.both import inlay_only
from support.envoy import Envoy, find_envoy, needs_envoy
from support.origins import Echo, echoed
from support.processes import BUILD, ROOT, SANITIZED, TestCase, free_port, started, wait_until

# A program of another tree is not built with what the libraries of such a build refer to.
links_the_libraries = unittest.skipIf(SANITIZED or "coverage" in os.path.basename(BUILD),
                                      "the libraries of this build need its sanitizers or its counters of coverage")
WITHOUT_WABT = "-DWABT_LIBRARY:FILEPATH="  # it counts as looked for, and not found
GUIDE = os.path.join(ROOT, "docs", "guide", "out_of_tree.md")


def guide_blocks(language):
    with open(GUIDE) as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.M | re.S)


def guide_commands(word):
    """The lines of the guide's one block of commands that has `word` in it."""
    (block,) = (block for block in guide_blocks("sh") if word in block)
    return block.splitlines()


def wabt_in(program):
    """The names of wabt's that a program defines, needs or loads."""
    symbols = subprocess.run(["nm", "-C", program], capture_output=True, text=True, check=True).stdout
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [line for line in (symbols + libraries).splitlines() if "wabt" in line.lower()]


class InstalledCase(TestCase):
    """Has what is installed in HOME/inlay, where HOME is a folder of the test's own."""

    def setUp(self):
        super().setUp()
        self.home = os.path.join(self.directory, "home")
        self.prefix = os.path.join(self.home, "inlay")
        self.run_command(["cmake", "--install", BUILD, "--prefix", self.prefix])

    def run_command(self, command, directory=None, fails=False):
        """The output of a command, which has to succeed, or to fail."""
        environment = {**os.environ, "HOME": self.home, "CMAKE_GENERATOR": "Ninja"}
        environment.pop("DESTDIR", None)
        done = subprocess.run(command, cwd=directory or ROOT, env=environment, shell=isinstance(command, str), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, check=False)
        self.assertEqual(done.returncode != 0, fails, f"{command}:\n{done.stdout}")
        return done.stdout

    def project(self, files, name="project"):
        """A folder with files of these names and texts; a CMakeLists.txt gets its first line."""
        folder = os.path.join(self.home, name)
        for path, text in files.items():
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text if path != os.path.join(folder, "CMakeLists.txt") else f"cmake_minimum_required(VERSION 3.25)\n{text}")
        return folder

    def configure(self, folder, *options, fails=False):
        """CMake's output, with each run of blanks as one."""
        command = ["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", *options]
        return re.sub(r"\s+", " ", self.run_command(command, folder, fails))

    def build(self, folder):
        self.configure(folder)
        return self.run_command(["cmake", "--build", "build"], folder)


@inlay_only("what is built with the installed tree")
class ByTheGuide(InstalledCase):
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

        def elsewhere(text):
            return re.sub(rf"\b({'|'.join(ports)})\b", lambda found: ports[found[0]], text)
        path = os.path.join(folder, "envoy.yaml")
        with open(path) as file:
            bootstrap = elsewhere(file.read())
        with open(path, "w") as file:
            file.write(bootstrap)
        echo, run, curl = (elsewhere(command) for command in guide_commands("inlay run"))
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

    @links_the_libraries
    def test_the_filters_tests(self):
        folder = os.path.join(self.home, "own_filter")
        shutil.copytree(os.path.join(ROOT, "examples", "own_filter"), folder)
        (lines,) = (block for block in guide_blocks("cmake") if "filter_test" in block)
        path = os.path.join(folder, "CMakeLists.txt")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("LANGUAGES NONE", "LANGUAGES CXX") + lines)
        self.build(folder)
        self.assertIn("[  PASSED  ] 2 tests", self.run_command([os.path.join(folder, "build", "filter_test")]))

    @links_the_libraries
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

        for command in guide_commands("pkg-config"):
            self.run_command(command, folder)
        self.assertIn("x-greeting: hello", self.run_command([os.path.join(folder, "embed"), module, "hello"]))
        self.assertIn("x-greeting: hello", self.run_command([os.path.join(folder, "embed_compiled"), module + ".aot", "hello"]))
        self.assertTrue(wabt_in(os.path.join(folder, "embed")))
        self.assertEqual(wabt_in(os.path.join(folder, "embed_compiled")), [])


@inlay_only("what is built with the installed tree")
class New(InstalledCase):
    """`inlay new`, and what its README says."""

    def make_new(self):
        self.run_command([os.path.join(self.prefix, "bin", "inlay"), "new", "greeter"], self.home)
        folder = os.path.join(self.home, "greeter")
        path = f"PATH={self.prefix}/bin:$PATH "
        with open(os.path.join(folder, "README.md")) as file:
            commands = re.findall(r"^    (make\b.*?)(?: *#.*)?$", file.read(), re.M)
        self.assertEqual(commands, ["make", "make test"])
        outputs = [self.run_command(path + command, folder) for command in commands]
        self.assertIn("greeter.wasm: ", outputs[0])
        self.assertIn("3 passed, 0 failed", outputs[1])
        return folder, path

    def test_is_built_and_tested_by_its_readme(self):
        folder, path = self.make_new()
        self.assertIn("2 passed, 0 failed, 1 skipped", self.run_command(path + "inlay test --world sockets cases", folder))
        self.run_command(path + "make ci", folder)
        self.assertTrue(os.path.exists(os.path.join(folder, "build", "results.xml")))
        with open(os.path.join(folder, "envoy.yaml")) as file:
            bootstrap = re.sub(r"port_value: (\d+)", lambda found: f"port_value: {free_port()}", file.read())
        with open(os.path.join(folder, "envoy.yaml"), "w") as file:
            file.write(bootstrap)
        self.run_command(path + "inlay run -c envoy.yaml --mode validate", folder)

    @needs_envoy()
    def test_runs_in_envoy(self):
        folder, path = self.make_new()
        started["envoy"] += 1
        output = self.run_command(path + f"inlay test --against {find_envoy()[0]} cases", folder)
        self.assertIn("2 passed, 0 failed, 1 skipped", output)


@inlay_only("what is built with the installed tree")
class Compiled(InstalledCase):
    """Runs what was compiled before, in a program that holds no wabt."""

    # (module (func (export "answer") (result i32) (i32.const 42)))
    ANSWER = bytes.fromhex("0061736d 01000000 0105 01 60 00 01 7f 0302 01 00 070a 01 06 616e73776572 00 00 0a06 01 04 00 41 2a 0b")
    PROGRAM = """#include <iostream>
#include "engine/engine.h"
using namespace inlay::engine;
int main(int argc, char** argv) {
  const auto module = Module::open(argv[1], argc > 2 ? argv[2] : "");
  if (!module) return std::cerr << module.error().to_string(), 1;
  const auto instance = Instance::create(*module, {}, nullptr, {});
  const auto answer = *(*instance)->function<uint32_t()>("answer");
  std::cout << *(*instance)->call(answer);
}
"""

    @links_the_libraries
    def test_by_the_engine_alone(self):
        folder = self.project({"main.cc": self.PROGRAM, "CMakeLists.txt": "project(alone LANGUAGES CXX)\n"
                               "find_package(inlay REQUIRED COMPONENTS host)\nadd_executable(alone main.cc)\n"
                               "target_link_libraries(alone PRIVATE inlay::engine)\n"})
        self.configure(folder, WITHOUT_WABT)
        self.run_command(["cmake", "--build", "build"], folder)
        alone = os.path.join(folder, "build", "alone")
        self.assertEqual(wabt_in(alone), [])
        module = os.path.join(folder, "answer.wasm")
        with open(module, "wb") as file:
            file.write(self.ANSWER)
        inlay = os.path.join(self.prefix, "bin", "inlay")
        artifact = self.run_command([inlay, "compile", module]).strip()
        self.assertEqual(self.run_command([alone, artifact]), "42")
        self.assertEqual(self.run_command([alone, artifact, hashlib.sha256(self.ANSWER).hexdigest()]), "42")
        self.assertIn("made from another module", self.run_command([alone, artifact, "0" * 64], fails=True))
        self.assertIn("there is no such file", self.run_command([alone, artifact + ".x"], fails=True))
        self.assertTrue(wabt_in(inlay), "what is looked for is not there where it has to be")


@inlay_only("what is built with the installed tree")
class Installed(InstalledCase):
    def test_the_folder_can_be_moved_and_knows_nothing_of_the_clone(self):
        moved = os.path.join(self.directory, "a place with blanks")
        shutil.move(self.prefix, moved)
        for path in glob.glob(os.path.join(moved, "**", "*"), recursive=True):
            if os.path.isfile(path) and path.endswith((".cmake", ".pc", ".h")):
                with open(path) as file:
                    text = file.read()
                for folder in (ROOT, BUILD, self.prefix):
                    self.assertNotIn(folder, text, path)
        self.prefix = moved
        folder = os.path.join(self.home, "else where")
        shutil.copytree(os.path.join(ROOT, "examples", "own_filter"), folder)
        self.build(folder)
        self.assertTrue(os.path.exists(os.path.join(folder, "build", "own_filter.wasm")))

    @links_the_libraries
    def test_an_embedder_below_a_prefix_with_blanks(self):
        moved = os.path.join(self.directory, "a place with blanks")
        shutil.move(self.prefix, moved)
        self.prefix = moved
        folder = os.path.join(self.home, "em bed")
        shutil.copytree(os.path.join(ROOT, "examples", "embed"), folder)
        self.build(folder)

    def test_the_places_of_what_is_installed(self):
        """Those that the guide's table names, whatever the system calls its folder of libraries; and no others."""
        with open(GUIDE) as file:
            (table,) = re.findall(r"^\| \| \|\n\| --- \| --- \|\n(.*?)\n\n", file.read(), re.M | re.S)
        places = [name for row in table.splitlines() for name in re.match(r"\| `([^`]+)` \|", row).groups()]
        if SANITIZED:  # which an Envoy could not load
            places.remove("lib/inlay/{libinlay.so,inlay_dynamic_module.o}")
        found = {os.path.relpath(path, self.prefix) for path in glob.glob(os.path.join(self.prefix, "**", "*"), recursive=True)
                 if os.path.isfile(path)}
        for place in places:
            words = re.search(r"\{(.*)\}", place)
            of_it = [place.replace(words[0], word) for word in words[1].split(",")] if words else [place]
            self.assertTrue(all(any(path == name or path.startswith(name + "/") for path in found) for name in of_it), place)
            found -= {path for path in found if any(path == name or path.startswith(name + "/") for name in of_it)}
        self.assertEqual(found, set())

    def test_every_header_that_is_installed_finds_what_it_includes(self):
        include = os.path.join(self.prefix, "include", "inlay")
        headers = sorted(os.path.relpath(path, include) for path in glob.glob(os.path.join(include, "**", "*.h"), recursive=True))
        self.assertGreater(len(headers), 40)
        for of_sdk in (True, False):
            source = os.path.join(self.directory, "all.cc")
            with open(source, "w") as file:
                file.writelines(f'#include "{name}"\n' for name in headers if name.startswith("sdk/") == of_sdk)
            self.run_command(["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{include}", source])


@inlay_only("what is built with the installed tree")
class Filters(InstalledCase):
    """What inlay_add_filter() takes."""

    # A filter of three sources, two of one name and one whose path is another's with other characters.
    SEVERAL = {
        "filter.cc": '#include "sdk/sdk.h"\n#include "names.h"\nusing namespace inlay::sdk;\n'
                     "class Names : public HttpContext {\n public:\n  HeadersStatus on_request_headers(size_t, bool) override {\n"
                     '    (void)request_headers().set("x-names", first());\n    (void)request_headers().set("x-other", second());\n'
                     "    return HeadersStatus::kContinue;\n  }\n};\nINLAY_REGISTER(\"*\", RootContext, Names);\n",
        "parts/filter.cc": '#include "names.h"\nconst char* first() { return "first"; }\n',
        "parts_filter.cc": '#include "names.h"\nconst char* second() { return "second"; }\n',
        "include/names.h": "#pragma once\nconst char* first();\nconst char* second();\n",
    }
    SOURCES = "filter.cc parts/filter.cc parts_filter.cc"

    def test_one_of_several_sources(self):
        folder = self.project({**self.SEVERAL, "CMakeLists.txt":
                               "project(p LANGUAGES NONE)\nfind_package(inlay REQUIRED COMPONENTS sdk)\n"
                               f"inlay_add_filter(several {self.SOURCES} INCLUDES include OUTPUT_DIRECTORY modules)\n"})
        self.assertIn("several.wasm: ", self.build(folder))
        with open(os.path.join(folder, "build", "modules", "several.wasm"), "rb") as file:
            module = file.read()
        self.assertIn(b"first", module)
        self.assertIn(b"second", module)

        # What a source includes is known: a changed header makes the module anew.
        with open(os.path.join(folder, "include", "names.h"), "a") as file:
            file.write("// changed\n")
        self.assertIn("several.wasm: ", self.run_command(["cmake", "--build", "build"], folder))
        self.assertNotIn("several.wasm: ", self.run_command(["cmake", "--build", "build"], folder))

    def test_one_in_a_folder_beside_that_of_find_package(self):
        files = {f"filters/several/{name}": text for name, text in self.SEVERAL.items()}
        folder = self.project({**files, "CMakeLists.txt": "project(p LANGUAGES NONE)\nadd_subdirectory(packages)\nadd_subdirectory(filters)\n",
                               "packages/CMakeLists.txt": "find_package(inlay REQUIRED COMPONENTS sdk)\n",
                               "filters/CMakeLists.txt": "add_subdirectory(several)\n",
                               "filters/several/CMakeLists.txt": f"inlay_add_filter(several {self.SOURCES} INCLUDES include)\n"})
        self.build(folder)
        self.assertTrue(os.path.exists(os.path.join(folder, "build", "filters", "several", "several.wasm")))

    def test_a_generator_expression_is_refused(self):
        folder = self.project({"CMakeLists.txt": "project(p LANGUAGES NONE)\nfind_package(inlay REQUIRED COMPONENTS sdk)\n"
                               "inlay_add_filter(own $<IF:1,filter.cc,other.cc>)\n"})
        self.assertIn("inlay_add_filter(own ...): '$<IF:1,filter.cc,other.cc>' is a generator expression", self.configure(folder, fails=True))

    def test_the_tools_are_looked_for_when_there_is_a_filter(self):
        nowhere = (f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja')}", "-DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF",
                   "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF")
        start = "project(p LANGUAGES NONE)\nfind_package(inlay REQUIRED COMPONENTS sdk)\n"
        self.configure(self.project({"CMakeLists.txt": start}, "without"), *nowhere)
        folder = self.project({"CMakeLists.txt": start + "inlay_add_filter(own filter.cc)\n", "filter.cc": ""}, "with")
        self.assertIn("No clang++ can build for wasm32-wasi. On Debian, install: ", self.configure(folder, *nowhere, fails=True))


@inlay_only("configures; nothing runs")
class Components(InstalledCase):
    def configured(self, languages, components, *options, fails=False):
        folder = self.project({"CMakeLists.txt": f"project(p LANGUAGES {languages})\nfind_package(inlay REQUIRED {components})\n"
                               "message(\"sdk=${inlay_sdk_FOUND} host=${inlay_host_FOUND} compiler=${inlay_compiler_FOUND}.\")\n"})
        shutil.rmtree(os.path.join(folder, "build"), ignore_errors=True)
        return self.configure(folder, *options, fails=fails)

    def test_what_is_there_is_found(self):
        self.assertIn("sdk=TRUE host=TRUE compiler=TRUE.", self.configured("CXX", ""))
        self.assertIn("sdk=TRUE host=TRUE compiler=.", self.configured("C", "COMPONENTS sdk host"))
        self.assertIn("sdk= host=TRUE compiler=.", self.configured("CXX", "COMPONENTS host"))
        self.assertIn("sdk= host= compiler=TRUE.", self.configured("CXX", "COMPONENTS compiler"))

    def test_a_filters_project_needs_nothing_of_the_host(self):
        self.assertIn("sdk=TRUE host= compiler=.", self.configured("NONE", "COMPONENTS sdk"))
        self.assertIn("sdk=TRUE host=FALSE compiler=FALSE.", self.configured("NONE", ""))
        self.assertIn("sdk=TRUE host=FALSE", self.configured("NONE", "COMPONENTS sdk OPTIONAL_COMPONENTS host"))

    def test_the_host_needs_no_wabt(self):
        self.assertIn("sdk=TRUE host=TRUE compiler=FALSE.", self.configured("CXX", "", WITHOUT_WABT))
        self.assertIn("sdk= host=TRUE compiler=.", self.configured("CXX", "COMPONENTS host", WITHOUT_WABT))
        self.assertIn("sdk= host=TRUE compiler=FALSE.", self.configured("CXX", "COMPONENTS host OPTIONAL_COMPONENTS compiler", WITHOUT_WABT))

    def test_what_cannot_be_had_says_why(self):
        for component in ("host", "compiler"):
            self.assertIn(f"inlay's component '{component}' needs C or CXX among the project's languages",
                          self.configured("NONE", f"COMPONENTS {component}", fails=True))
        said = self.configured("CXX", "COMPONENTS compiler", WITHOUT_WABT, fails=True)
        self.assertIn("inlay's component 'compiler' needs wabt (Debian's packages: libssl-dev zlib1g-dev wabt)", said)

    def test_one_that_is_not_there_is_named(self):
        self.assertIn("inlay has no component 'gateway'; there are: sdk, host, compiler", self.configured("NONE", "COMPONENTS sdk gateway", fails=True))


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

    def cached(self, variable, *options):
        """A variable's value in a build of the libraries alone."""
        build = os.path.join(self.directory, "build")
        shutil.rmtree(build, ignore_errors=True)
        subprocess.run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DINLAY_PROXY=OFF", "-DINLAY_WASM=OFF", "-DINLAY_TESTS=OFF",
                        *options], capture_output=True, check=True)
        with open(os.path.join(build, "CMakeCache.txt")) as file:
            return re.search(rf"(?m)^{variable}:\w+=(.*)$", file.read())[1]

    def test_a_build_is_optimised_unless_it_says_otherwise(self):
        for option, expected in ((), "Release"), (("-DCMAKE_BUILD_TYPE=Debug",), "Debug"):
            self.assertEqual(self.cached("CMAKE_BUILD_TYPE", *option), expected)

    def test_libraries_go_to_lib_unless_it_says_otherwise(self):
        """Below /usr Debian's CMake would say lib/x86_64-linux-gnu."""
        for option, expected in ("-DCMAKE_INSTALL_PREFIX=/usr", "lib"), ("-DCMAKE_INSTALL_LIBDIR=lib64", "lib64"):
            self.assertEqual(self.cached("CMAKE_INSTALL_LIBDIR", option), expected)

    def test_without_wabt_it_is_named(self):
        done = subprocess.run(["cmake", "-S", ROOT, "-B", os.path.join(self.directory, "build"), "-G", "Ninja", "-DINLAY_PROXY=OFF",
                               "-DINLAY_WASM=OFF", "-DINLAY_TESTS=OFF", WITHOUT_WABT], capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("wabt is needed: its library and wabt/binary-reader.h. On Debian, install: wabt", re.sub(r"\s+", " ", done.stderr))

    def test_the_libraries_alone(self):
        found = self.targets("-DINLAY_PROXY=OFF", "-DINLAY_WASM=OFF", "-DINLAY_TESTS=OFF")
        self.assertIn("libinlay_engine.a", found)
        self.assertFalse([name for name in found if name.endswith("_tests")])


@inlay_only("prints what would run")
class MakeInstall(unittest.TestCase):
    def commands(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if name not in ("PREFIX", "PRESET", "DESTDIR", "MAKEFLAGS")}
        return subprocess.run(["make", "--no-print-directory", "-n", "install", *arguments], cwd=ROOT, env=environment, capture_output=True,
                              text=True, check=True).stdout

    def test_a_prefix_is_one_word(self):
        self.assertIn('cmake --install "build/release" --prefix "/a place"', self.commands("PREFIX=/a place"))
        self.assertIn('cmake --install "build/release" --prefix "/usr/local"', self.commands())

    def test_the_preset_is_what_is_installed(self):
        for preset, folder in (("debug", "debug"), ("bench", "release")):
            said = self.commands(f"PRESET={preset}")
            self.assertIn(f"scripts/build {preset} inlay ", said)
            self.assertIn(f'cmake --install "build/{folder}"', said)


@inlay_only("reads; nothing runs")
class GuideShows(unittest.TestCase):
    def test_the_files_that_ship(self):
        blocks = [block for block in guide_blocks("cmake") if "project(" in block]
        self.assertEqual(len(blocks), 2)
        for block in blocks:
            name = re.search(r"project\((\w+)", block)[1]
            with open(os.path.join(ROOT, "examples", name, "CMakeLists.txt")) as file:
                self.assertTrue(file.read().endswith(block), name)


if __name__ == "__main__":
    unittest.main()
