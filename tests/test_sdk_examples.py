# SPDX-License-Identifier: Apache-2.0
"""Each example in a public header (and in some of the tree's own), and each piece of C++ in the guides of the SDK, compiles: natively, as tests are
built, and those of the SDK for wasm32 too.

An example of a header is a block of comment lines that are indented by five blanks, after an empty one. One that begins with a class, a function
or a registration stands at namespace scope, any other in a member of an HttpContext. What needs GoogleTest is for native builds only. The
pieces of a guide are one file, in their order."""

import glob
import os
import re
import subprocess
import unittest

from support.both import inlay_only
from support.processes import BUILD, ROOT, TestCase

AT_NAMESPACE_SCOPE = re.compile(r"(class|struct|template|using namespace|INLAY_REGISTER|TEST|Task<.*{|void .*{|Result<.*> \w+\(.*\) {)")
# Where a header's example is at namespace scope if it begins with the type that a function returns.
RETURNS = re.compile(r"^(?:[\w:]+(?:<.*?>)?[ *&]+)+\w+\([^;{}]*\) \{|^extern \"C\"", re.M)
# Headers beside the SDK's whose examples compile: those of the host library (cmake/Install.cmake), and some that other rooms include;
# with the namespaces that an example names things from.
HOST_HEADERS = {
    "abi/functions.h": (),
    "abi/pairs.h": (),
    "abi/types.h": (),
    "base/buffer.h": ("inlay",),
    "base/result.h": ("inlay",),
    "compiler/compiler.h": ("inlay", "inlay::compiler"),
    "document/source.h": ("inlay::document",),
    "engine/engine.h": ("inlay", "inlay::engine"),
    "host/embedder.h": ("inlay", "inlay::host"),
    "host/host.h": ("inlay", "inlay::host"),
    "host/standalone.h": ("inlay", "inlay::host"),
    "host/tcp.h": ("inlay", "inlay::host"),
    "http/header_map.h": ("inlay::http",),
    "inspect/facts.h": ("inlay", "inlay::inspect"),
    "net/connection.h": ("inlay", "inlay::net"),
    "net/event_loop.h": ("inlay::net",),
    "proxy/downstream/filter.h": ("inlay", "inlay::proxy::downstream"),
    "stats/histogram_bins.h": ("inlay::stats",),
    "stats/metrics.h": ("inlay", "inlay::stats"),
}
HOST_INCLUDES = ("sys/uio.h", "unistd.h", "array", "cstddef", "iostream", "span", "string", "string_view", "thread", "vector")
GUIDES = ("docs/guide/sdk.md", "docs/guide/tcp.md", "docs/guide/hazards.md")
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-variable",
         "-Wno-unused-but-set-variable", "-Wno-unused-parameter", f"-I{ROOT}"]


def cmake_variable(name):
    with open(os.path.join(BUILD, "CMakeCache.txt")) as cache:
        return re.search(rf"^{name}:\w+=(.*)$", cache.read(), re.M).group(1)


class Example:
    def __init__(self, path, line, text):
        self.path, self.line, self.text = path, line, text
        self.native_only = bool(re.search(r"\b(TEST(_F)?\(|Fake\w+|::testing::)", text))


def examples_of(name):
    found = []
    with open(os.path.join(ROOT, name)) as file:
        lines = file.read().splitlines()
    at = 0
    while at < len(lines):
        end = at
        while lines[at - 1] == "//" and end < len(lines) and (lines[end].startswith("//     ") or
                                    (end > at and lines[end] == "//" and lines[end + 1].startswith("//     "))):
            end += 1
        if end > at:
            found.append(Example(name, at + 1, "\n".join(line[7:] for line in lines[at:end])))
        at = max(end, at + 1)
    return found


def header_examples():
    paths = sorted(glob.glob(os.path.join(ROOT, "sdk", "**", "*.h"), recursive=True))
    return [example for path in paths for example in examples_of(os.path.relpath(path, ROOT))]


def host_file():
    """One file of the examples of HOST_HEADERS. Each needs no more than its header, the standard library and its namespaces."""
    text = "".join(f"#include <{name}>\n" for name in HOST_INCLUDES) + "".join(f'#include "{name}"\n' for name in HOST_HEADERS)
    for header, namespaces in HOST_HEADERS.items():
        for example in examples_of(header):
            lines = f'#line {example.line} "{header}"\n{example.text}\n'
            if not AT_NAMESPACE_SCOPE.match(example.text) and not RETURNS.search(example.text):
                lines = f"inline void example() {{\n{lines}}}\n"
            scope = re.sub(r"\W", "_", header) + str(example.line)
            text += f"namespace {scope} {{\n" + "".join(f"using namespace {name};\n" for name in namespaces) + lines + "}\n"
    return text


def guide_examples(guide):
    with open(os.path.join(ROOT, guide)) as file:
        text = file.read()
    return [Example(guide, text.count("\n", 0, match.start(1)) + 1, match.group(1))
            for match in re.finditer(r"^```cpp\n(.*?)^```", text, re.M | re.S)]


def as_file(examples, native, scoped):
    text = '#include "sdk/sdk.h"\n'
    if native:
        text += '#include <gtest/gtest.h>\n#include "sdk/testing/fake_host.h"\nusing namespace inlay::sdk::testing;\n'
    for number, example in enumerate(examples):
        if example.native_only and not native:
            continue
        lines = f'#line {example.line} "{example.path}"\n{example.text}\n'
        if not scoped:
            text += lines
            continue
        if not AT_NAMESPACE_SCOPE.match(example.text):
            lines = f"struct Example : HttpContext {{\nvoid example() {{\n{lines}}}\n}};\n"
        text += f"namespace example_{number} {{\nusing namespace inlay::sdk;\n{lines}}}\n"
    return text


# What the header of the log promises, for every type there is.
EVERY_TYPE = Example("every type", 1, """template <class... T>
void log_each() { (log_info("headers ", T{}), ...); (log_info(T{}), ...); }
void log_all(size_t n, inlay::sdk::Status status) {
  log_info("headers ", n);
  log_each<bool, char, signed char, unsigned char, short, unsigned short, int, unsigned, long, unsigned long, long long,
           unsigned long long, wchar_t, char8_t, char16_t, char32_t, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t,
           int64_t, uint64_t, size_t, ptrdiff_t, uintptr_t, inlay::sdk::Status>();
  log_warn(status, ' ', -1, " ", 7u, std::string_view("x"));
}
""")


@inlay_only("compiles; nothing runs")
class Examples(TestCase):
    def compile(self, name, text, native):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        compiler = cmake_variable("CMAKE_CXX_COMPILER" if native else "INLAY_WASM_CXX")
        flags = FLAGS if native else ["--target=wasm32-wasi", "-mbulk-memory", "-fno-exceptions", "-fno-rtti", *FLAGS]
        done = subprocess.run([compiler, *flags, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, f"{name}:\n{done.stdout.decode(errors='replace')[:6000]}")

    def test_headers(self):
        examples = header_examples()
        self.assertGreaterEqual(len({example.path for example in examples}), 16)
        for native in (True, False):
            with self.subTest(native=native):
                self.compile("headers.cc", as_file([*examples, EVERY_TYPE], native, scoped=True), native)

    def test_headers_of_the_host_library(self):
        for header in HOST_HEADERS:
            self.assertTrue(examples_of(header), header)
        self.compile("host.cc", host_file(), native=True)

    def test_guides(self):
        for guide in GUIDES:
            examples = guide_examples(guide)
            self.assertGreaterEqual(len(examples), 4, guide)
            for native in (True, False):
                with self.subTest(guide=guide, native=native):
                    self.compile(os.path.basename(guide) + ".cc", as_file(examples, native, scoped=False), native)


if __name__ == "__main__":
    unittest.main()
