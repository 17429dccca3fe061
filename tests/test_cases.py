# SPDX-License-Identifier: Apache-2.0
"""`inlay test`: the guide as it is written, the cases that the tree's filters have, and the program's ends."""

import json
import os
import re
import subprocess
import unittest
import xml.etree.ElementTree

from support.both import inlay_only
from support.envoy import find_envoy, needs_envoy
from support.processes import BUILD, INLAY, ROOT, TestCase, started, wait_until
from support.rust import NO_RUST_FOR_WASI, has_rust_for_wasi, with_rust

GUIDE = os.path.join(ROOT, "docs", "guide", "test.md")


def run(arguments, directory, environment=None):
    """(exit status, standard output, standard error) of `inlay`."""
    done = subprocess.run([INLAY, *arguments], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          timeout=600, env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def without_times(text):
    return re.sub(r"\d+\.\d{3} ms", "N ms", re.sub(r" in \d+\.\d\d s$", " in N s", text, flags=re.M))


def as_pattern(text):
    """A text of the guide in which `...` stands for anything on its line, and alone on a line for any lines."""
    return "".join("(?:.*\\n)*" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") for line in text.splitlines(True))


class Folder(TestCase):
    """Runs in a folder that has what `make build` leaves in the tree's: build/ with the modules."""

    def setUp(self):
        super().setUp()
        os.symlink(os.path.join(BUILD, "wasm"), os.path.join(self.directory, "build"))

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.directory, name)) as file:
            return file.read()

    def inlay_test(self, *arguments):
        return run(["test", *arguments], self.directory)


@inlay_only("the guide of `inlay test`")
class Guide(Folder):
    def setUp(self):
        super().setUp()
        os.symlink(os.path.join(ROOT, "filters"), os.path.join(self.directory, "filters"))
        self.write("greeting.txt", "hello")

    def blocks(self):
        """Each indented block of the guide with the text before it."""
        with open(GUIDE) as file:
            text = file.read()
        before = ""
        for part in re.split(r"((?:^    .*\n(?:\n(?=    ))?)+)", text, flags=re.M):
            if part.startswith("    "):
                yield before, re.sub(r"^    ", "", part, flags=re.M)
            else:
                before = part

    def test_files_and_commands_are_as_written(self):
        files = commands = 0
        for before, block in self.blocks():
            name = re.search(r"[Aa]\s+file `([\w.]+)`[^`]*:\n\n$", before)
            # A command may stand in the block of the file before it, behind an empty line.
            text, *shown = re.split(r"^(?=\$ )", block, flags=re.M)
            if name:
                self.write(name[1], text.rstrip("\n") + "\n")
                files += 1
            for command in shown:
                line, _, expected = command.partition("\n")
                words = line.removeprefix("$ ").split()
                self.assertEqual(words[0], "inlay")
                _, out, err = run(words[1:], self.directory)
                if "..." in expected:
                    self.assertRegex(without_times(out), "^" + as_pattern(without_times(expected)) + "$", line + err)
                else:
                    self.assertEqual(without_times(out), without_times(expected), line + err)
                commands += 1
            if block.startswith("#### expect"):
                self.assertTrue(self.read("snapshot.case").endswith(block), self.read("snapshot.case"))
        self.assertGreaterEqual(files, 8)
        self.assertGreaterEqual(commands, 7)

    def test_every_expectation_that_is_listed_is_one(self):
        lists = [block for _, block in self.blocks() if block.startswith("expect ")]
        self.assertEqual(len(lists), 1)
        self.write("listed.case", "upstream auth waits\nclient GET /\n" + lists[0])
        status, out, _ = self.inlay_test("listed.case")
        self.assertEqual(status, 1, out)  # they fail, and are none that cannot be read
        self.assertNotIn("WRONG", out)


class OurCases(Folder):
    """The cases of the filter and of the examples, in one of the places where cases run."""

    # What lies between two times is shown in virtual time; in real time it would be a matter of the machine's speed.
    OF_TIME = ("slow.case", "held.case")

    def setUp(self):
        super().setUp()
        for folder in ("filters", "examples"):
            os.symlink(os.path.join(ROOT, folder), os.path.join(self.directory, folder))

    def pass_all(self, folder, at_least, *arguments, without=()):
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(os.path.join(ROOT, folder)))
                 if name.endswith(".case") and name not in without]
        status, out, err = self.inlay_test(*arguments, *paths)
        self.assertEqual(status, 0, out + err)
        passed = re.search(r"^(\d+) passed, 0 failed", out, re.M)
        self.assertGreaterEqual(int(passed[1]), at_least, out)


@inlay_only("in process, and in its server")
class OurCasesHere(OurCases):
    def test_of_the_header_augmenting_filter(self):
        for engine in ("interp", "aot"):
            self.pass_all("filters/header_augmenting/cases", 12, "--engine", engine)

    def test_of_the_gate(self):
        for engine in ("interp", "aot"):
            self.pass_all("examples/gate/cases", 8, "--engine", engine)

    def test_on_sockets(self):
        self.pass_all("filters/header_augmenting/cases", 9, "--world", "sockets", without=self.OF_TIME)
        self.pass_all("examples/gate/cases", 7, "--world", "sockets", without=self.OF_TIME)

    def test_on_sockets_by_http2(self):
        self.pass_all("filters/header_augmenting/cases", 7, "--world", "sockets", "--http2", without=self.OF_TIME)
        self.pass_all("examples/gate/cases", 4, "--world", "sockets", "--http2", without=self.OF_TIME)
        status, _, err = self.inlay_test("--http2", "examples/gate/cases")
        self.assertEqual(status, 2)
        self.assertIn("--http2 goes with --world sockets and with --against", err)

    def test_an_envoy_that_is_not_here_is_skipped_aloud(self):
        status, out, _ = self.inlay_test("--against", "envoy@0.0.1", "examples/gate/cases")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^skipped all cases in envoy@0\.0\.1: there is no Envoy 0\.0\.1: ")
        for wrong in ("nginx", "/nowhere/envoy"):
            self.assertEqual(self.inlay_test("--against", wrong, "examples/gate/cases")[0], 2)


@needs_envoy()
class OurCasesInEnvoy(OurCases):
    def setUp(self):
        super().setUp()
        started["envoy"] += 1
        self.envoy = find_envoy()[0]

    def test_of_the_header_augmenting_filter(self):
        self.pass_all("filters/header_augmenting/cases", 9, "--against", self.envoy, "--jobs", "2", without=self.OF_TIME)

    def test_of_the_gate(self):
        self.pass_all("examples/gate/cases", 7, "--against", self.envoy, "--jobs", "2", without=self.OF_TIME)

    def test_by_http2(self):
        self.pass_all("filters/header_augmenting/cases", 7, "--against", self.envoy, "--http2", "--jobs", "2", without=self.OF_TIME)
        self.pass_all("examples/gate/cases", 4, "--against", self.envoy, "--http2", "--jobs", "2", without=self.OF_TIME)

    def test_a_hazard_ends_it(self):
        self.write("hazard.case", """plugin a guest=wat imports=continue_stream:1
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $continue_stream (i32.const 1))) (i32.const 0))
client GET /
expect no client status 500
""")
        status, out, _ = self.inlay_test("hazard.case")
        self.assertEqual(status, 1)
        self.assertIn("in Envoy this ends the process (hazard resume_before_response)", out)
        status, out, _ = self.inlay_test("--against", self.envoy, "hazard.case")
        self.assertEqual(status, 1)
        self.assertIn("envoy: ended by signal", out)


FILTER_WITH_LINES = r'''extern "C" {
__attribute__((export_name("proxy_abi_version_0_2_1"))) void version() {}
__attribute__((export_name("proxy_on_memory_allocate"))) unsigned allocate(unsigned) { return 4096; }
static unsigned check(unsigned headers) {
  if (headers > 1000)
    return 1;
  return 0;
}
__attribute__((export_name("proxy_on_request_headers"))) unsigned on_request_headers(unsigned, unsigned headers, unsigned) {
  return check(headers);
}
__attribute__((export_name("proxy_on_request_trailers"))) unsigned on_request_trailers(unsigned, unsigned) {
  __builtin_trap();
}
}'''


TRAP_WITH_LINES = r'''extern "C" {
__attribute__((export_name("proxy_abi_version_0_2_1"))) void version() {}
__attribute__((export_name("proxy_on_memory_allocate"))) unsigned allocate(unsigned) { return 4096; }
__attribute__((import_module("env"), import_name("proxy_done"))) unsigned done();
}
__attribute__((noinline)) static unsigned deep(unsigned headers) {
  if (done() > 1000 || headers != 0) __builtin_trap();
  return headers;
}
extern "C" __attribute__((export_name("proxy_on_request_headers"))) unsigned proxy_on_request_headers(unsigned, unsigned headers, unsigned) {
  return deep(headers + 1) + done();
}
'''

TRAP_IN_RUST = r'''
#[no_mangle]
pub extern "C" fn proxy_abi_version_0_2_1() {}

#[no_mangle]
pub extern "C" fn proxy_on_memory_allocate(_: u32) -> u32 {
    4096
}

#[inline(never)]
fn deep(headers: u32) -> u32 {
    if headers != 0 {
        std::process::abort();
    }
    headers
}

#[no_mangle]
pub extern "C" fn proxy_on_request_headers(_: u32, headers: u32, _: u32) -> u32 {
    deep(headers + 1)
}
'''

BOOTSTRAP_OF_TRAP = '''
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          route_config:
            virtual_hosts:
            - {name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}
          http_filters:
          - name: trap
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config: {name: f, vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: trap.wasm}}}}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
'''


@inlay_only("what compilers leave in modules for people")
class Lines(Folder):
    def setUp(self):
        super().setUp()
        self.write("filter.cc", FILTER_WITH_LINES)
        self.write("good.case", "plugin f module=filter.wasm\nclient GET /\nclient GET /\nexpect client status 200\n")

    def compile(self, *flags, source="filter.cc", module="filter.wasm"):
        with open(os.path.join(BUILD, "CMakeCache.txt")) as cache:
            clang = re.search(r"^INLAY_WASM_CXX:\w+=(.*)$", cache.read(), re.M)[1]
        # Linked apart, and without -O: with it clang has Binaryen optimise, whose version 108 aborts on DWARF 5.
        built = os.path.join(self.directory, module)
        subprocess.run([clang, "--target=wasm32-wasi", "-c", *flags, os.path.join(self.directory, source), "-o", built + ".o"], check=True)
        subprocess.run([clang, "--target=wasm32-wasi", "-nostdlib", "-Wl,--no-entry", built + ".o", "-o", built], check=True)

    def test_lines_of_source_are_counted(self):
        for version in ("-gdwarf-4", "-gdwarf-5"):
            self.compile("-O0", version)
            status, out, _ = self.inlay_test("--coverage", "--coverage-report", "report", "good.case")
            self.assertEqual(status, 0, out)
            self.assertRegex(out, r"(?m)^  lines +\d+\.\d%  \d+ of \d+ run$")
            path = os.path.realpath(os.path.join(self.directory, "filter.cc"))
            self.assertIn(path, out)
            record = self.read("report/lcov.info")
            self.assertIn(f"SF:{path}\n", record)
            for times, line in ((2, 5), (0, 6), (2, 7), (2, 10), (0, 13)):
                self.assertIn(f"DA:{line},{times}\n", record)
            self.assertIn("FN:4,check(unsigned int)\nFNDA:2,check(unsigned int)\n", record)
            self.assertIn("__builtin_trap();", self.read("report/index.html"))

    def test_a_backtrace_has_names(self):
        self.compile("-O0")
        self.write("bad.case", "options trailers\nplugin f module=filter.wasm\nclient POST / chunked\nclient trailers a=b\n"
                                "expect no client body = x\n")
        for engine in ("interp", "aot"):
            status, out, _ = self.inlay_test("--engine", engine, "bad.case")
            self.assertEqual(status, 1, out)
            self.assertRegex(out, r"(?m)0: on_request_trailers$")

    def test_a_backtrace_has_lines_of_rust(self):
        with_rust()
        if not has_rust_for_wasi():
            self.skipTest(NO_RUST_FOR_WASI)
        self.write("trap.rs", TRAP_IN_RUST)
        self.write("bad.case", "plugin f module=trap.wasm\nclient GET /\nexpect client status 503\n")
        subprocess.run(["rustc", "--target", "wasm32-wasip1", "--crate-type", "cdylib", "-g", "-C", "panic=abort", "-C", "linker=wasm-ld",
                        os.path.join(self.directory, "trap.rs"), "-o", os.path.join(self.directory, "trap.wasm")], check=True)
        status, out, err = self.inlay_test("bad.case")
        self.assertEqual(status, 1, out + err)
        self.assertRegex(out, r"(?m)^ *\d+: .*deep.* at .*trap\.rs:13\n *\d+: proxy_on_request_headers at .*trap\.rs:20$")

    def test_a_backtrace_has_lines_of_source(self):
        self.write("bad.case", "plugin f module=trap.wasm\nclient GET /\nexpect client status 503\n")
        self.write("trap.cc", TRAP_WITH_LINES)
        self.write("envoy.yaml", BOOTSTRAP_OF_TRAP)
        self.write("file.case", "bootstrap: envoy.yaml\nclient GET /\nexpect client status 503\n")
        for flags in (("-O0", "-gdwarf-4"), ("-O2", "-gdwarf-5")):
            self.compile(*flags, source="trap.cc", module="trap.wasm")
            for arguments in (("--engine", "interp"), ("--engine", "aot"), ("--coverage",), ("--world", "sockets")):
                for case in ("bad.case", "file.case"):
                    if case == "file.case" and "sockets" in arguments:
                        continue
                    status, out, err = self.inlay_test(*arguments, case)
                    self.assertEqual(status, 1, out + err)
                    self.assertRegex(out, r"(?m)^ *0: deep\(unsigned int\) at .*trap\.cc:7\n *1: proxy_on_request_headers at .*trap\.cc:11$",
                                     (flags, arguments, case))


@inlay_only("callbacks of one stream, without a proxy")
class GooglesFormat(Folder):
    # Ten of our own.

    SUITES = os.path.join(ROOT, "tester", "textpb", "testdata")

    def test_our_files(self):
        suites = sorted(os.path.join(self.SUITES, name) for name in os.listdir(self.SUITES) if name.endswith((".textpb", ".yaml")))
        self.assertGreaterEqual(len(suites), 10)
        for engine in ("interp", "aot"):
            status, out, err = self.inlay_test("--engine", engine, *suites)
            self.assertEqual(status, 0, out + err)
            self.assertRegex(out, r"(?m)^1[5-9] passed, 0 failed")
            self.assertIn("benchmarks are not run", err)

    def test_our_files_with_a_proxy_around_the_filter(self):
        suites = [os.path.join(self.SUITES, name + ".textpb") for name in ("headers", "immediate", "body", "logs")]
        envoy, missing = find_envoy()
        for where in (("--world", "sockets"), ("--against", envoy)):
            if where[1] is None:
                self.skipTest("all but Envoy has passed: " + missing)
            status, out, err = self.inlay_test(*where, *suites)
            self.assertEqual(status, 0, out + err)
            self.assertRegex(out, r"(?m)^4 passed, 0 failed, 3 skipped")
        self.write("greeting", "hello")
        self.write("a.textpb", 'test { name: "a" request_headers { result {\n  has_header { key: "x-greeting" value: "other" }\n} } }\n')
        status, out, _ = self.inlay_test("--world", "sockets", "--plugin", "build/own_filter.wasm", "--plugin-config", "greeting", "a.textpb")
        self.assertEqual(status, 1, out)
        self.assertIn('a.textpb:2: expect upstream header x-greeting = "other"', out)

    def test_a_backtrace_has_lines_of_source(self):
        with open(os.path.join(BUILD, "CMakeCache.txt")) as cache:
            clang = re.search(r"^INLAY_WASM_CXX:\w+=(.*)$", cache.read(), re.M)[1]
        self.write("trap.cc", TRAP_WITH_LINES)
        self.write("trap.textpb", 'test { name: "a" request_headers { } }\n')
        subprocess.run([clang, "--target=wasm32-wasi", "-nostdlib", "-Wl,--no-entry", "-g", os.path.join(self.directory, "trap.cc"),
                        "-o", os.path.join(self.directory, "trap.wasm")], check=True)
        status, out, err = self.inlay_test("--plugin", os.path.join(self.directory, "trap.wasm"), "trap.textpb")
        self.assertEqual(status, 1, out + err)
        self.assertRegex(out, r"(?m)^ *0: deep\(unsigned int\) at .*trap\.cc:7$")

    def test_failures_and_mistakes_have_their_lines(self):
        self.write("a.textpb", 'test { name: "a" request_headers { result {\n  has_header { key: "x-greeting" value: "other" }\n} } }\n')
        self.write("greeting", "hello")
        arguments = ["--plugin", "build/own_filter.wasm", "--plugin-config", "greeting"]
        status, out, _ = self.inlay_test(*arguments, "a.textpb")
        self.assertEqual(status, 1, out)
        self.assertIn('a.textpb:2: request_headers: header "x-greeting" is "hello", and has to be "other"', out)
        self.assertIn("x-greeting: hello", out)
        status, out, _ = self.inlay_test("a.textpb")
        self.assertEqual(status, 2)
        self.assertIn("--plugin FILE", out)
        self.write("b.textpb", "test {\n  nme: 'a' }")
        status, out, _ = self.inlay_test("b.textpb")
        self.assertEqual(status, 2)
        self.assertIn("b.textpb:2: `nme` is no field here; did you mean `name`?", out)


@inlay_only("its command line")
class Program(Folder):
    CASE = "plugin gate module=build/gate.wasm\nupstream auth answers {}\nclient GET / x-user=ann\nexpect client status 200\n"

    def test_exit_statuses(self):
        self.write("good.case", self.CASE.format(200))
        self.write("bad.case", self.CASE.format(403))
        self.write("wrong.case", "nonsense\n")
        self.assertEqual(self.inlay_test("good.case")[0], 0)
        self.assertEqual(self.inlay_test("good.case", "bad.case")[0], 1)
        self.assertEqual(self.inlay_test("wrong.case")[0], 2)
        status, out, _ = self.inlay_test()
        self.assertEqual(status, 2)
        self.assertRegex(out, r"1 passed, 1 failed, 1 file wrong in ")
        self.assertLess(out.index("FAILED bad.case"), out.index("WRONG wrong.case"))
        self.assertEqual(self.inlay_test("-k", "good")[0], 0)
        for arguments in (["nowhere.case"], ["-k", "nowhere"], ["--jobs", "0"], ["--engine", "v8"], ["--junit", "/nowhere/x.xml", "good.case"]):
            status, _, err = self.inlay_test(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertNotEqual(err, "", arguments)

    def test_what_was_called_is_counted(self):
        self.write("good.case", self.CASE.format(200))
        status, out, _ = self.inlay_test("--coverage", "--calls", "--coverage-report", "report", "good.case")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, r"(?m)^good\.case: \d+ guest calls, \d+\.\d{3} ms; \d+ host calls, \d+\.\d{3} ms$")
        self.assertRegex(out, r"(?m)^coverage of build/gate\.wasm$")
        self.assertRegex(out, r"(?m)^    proxy_on_http_call_response +1$")
        self.assertRegex(out, r"(?m)^    env\.proxy_http_call +1$")
        self.assertRegex(out, r"(?m)^    never called: ")
        self.assertRegex(out, r"(?m)^  functions +\d+\.\d%  \d+ of \d+ called$")
        module, = json.loads(self.read("report/coverage.json"))["modules"]
        self.assertIn({"name": "proxy_on_request_headers", "calls": 1}, module["callbacks"])
        self.assertGreater(len(module["functions"]), 50)
        self.assertIn("proxy_on_request_headers", self.read("report/index.html"))
        self.assertEqual(self.inlay_test("--junit", "out.xml", "--calls", "good.case")[0], 0)
        properties = xml.etree.ElementTree.parse(os.path.join(self.directory, "out.xml")).findall(".//property")
        self.assertEqual([p.get("name") for p in properties], ["guest_calls", "guest_seconds", "host_calls", "host_seconds"])
        for arguments in (["--world", "sockets"], ["--against", "envoy@1.40.0"], ["--engine", "aot"]):
            status, _, err = self.inlay_test("--coverage", *arguments, "good.case")
            self.assertEqual(status, 2, arguments)
            self.assertIn("counted", err)

    def test_colour_is_for_terminals_and_for_who_asks(self):
        self.write("bad.case", self.CASE.format(403))
        self.assertNotIn("\x1b", self.inlay_test("bad.case")[1])
        self.assertIn("\x1b[31mFAILED\x1b[0m", self.inlay_test("--color", "always", "bad.case")[1])

    def test_junit_is_xml(self):
        self.write("good.case", self.CASE.format(200))
        self.write("bad.case", self.CASE.format(403))
        self.assertEqual(self.inlay_test("--junit", "out.xml", "good.case", "bad.case")[0], 1)
        suites = xml.etree.ElementTree.parse(os.path.join(self.directory, "out.xml")).getroot()
        self.assertEqual([suite.get("name") for suite in suites], ["bad.case", "good.case"])
        failure = suites.find("./testsuite[@name='bad.case']/testcase/failure")
        self.assertIn("expect client status 200", failure.get("message"))

    def test_a_new_filter_has_a_name_and_a_folder_of_its_own(self):
        status, out, _ = run(["new", "greeter"], self.directory)
        self.assertEqual(status, 0)
        self.assertIn("make test", out)
        self.assertIn("plugin greeter module=../build/greeter.wasm", self.read("greeter/cases/filter.inc"))
        for folder, _, names in os.walk(os.path.join(self.directory, "greeter")):
            for name in names:
                self.assertNotIn("__name__", self.read(os.path.join(folder, name)))
        status, _, err = run(["new", "greeter"], self.directory)
        self.assertEqual((status, err), (1, "inlay: greeter: is there already\n"))
        for arguments in (["new", "../x"], ["new", "1x"], ["new"], ["new", "x", "--lang", "cobol"]):
            self.assertEqual(run(arguments, self.directory)[0], 2, arguments)

    def test_it_runs_again_when_something_has_changed(self):
        self.write("one.case", self.CASE.format(403))
        out = os.path.join(self.directory, "out")
        with open(out, "w") as file:
            watching = subprocess.Popen([INLAY, "test", "--watch", "one.case"], cwd=self.directory, stdout=file, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        wait_until(lambda: "watching" in self.read("out"), "the first run")
        self.assertIn("0 passed, 1 failed", self.read("out"))
        self.write("one.case", self.CASE.format(200))
        wait_until(lambda: self.read("out").count("watching") == 2, "the second run")
        self.assertIn("\none.case has changed\n1 passed, 0 failed", self.read("out"))
        self.write("one.case", "nonsense\n")
        wait_until(lambda: self.read("out").count("watching") == 3, "the third run")
        self.assertIn("WRONG one.case", self.read("out"))

    def test_words_are_explained(self):
        status, out, _ = self.inlay_test("--explain", "upstream")
        self.assertEqual(status, 0)
        self.assertIn("upstream NAME BEHAVIOUR", out)
        self.assertIn("expect upstream ASPECT", out)
        status, out, _ = self.inlay_test("--explain", "upstraem")
        self.assertEqual((status, "did you mean `upstream`?" in out), (2, True))
        self.assertIn("wait TIME", self.inlay_test("--explain")[1])


if __name__ == "__main__":
    unittest.main()
