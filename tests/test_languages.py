# SPDX-License-Identifier: Apache-2.0
"""What compilers and runtimes make of a filter: how a module starts, what it imports of WASI, which instructions it has.

The guests are in C, built by the clang and the C library that the filter is built with, and in WebAssembly text, for the
forms that other languages' compilers give.
"""

import os
import re
import subprocess

from support.both import in_envoy_too, inlay_only
from support.config import bootstrap, cluster, wasm
from support.origins import Echo, echoed
from support.processes import BUILD, TestCase
from support.wire import request

C_FILTER = r"""
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name))) uint32_t name
#define EXPORT(name) __attribute__((export_name(#name)))
IMPORT(proxy_add_header_map_value)(uint32_t, const char*, size_t, const char*, size_t);
IMPORT(proxy_get_buffer_bytes)(uint32_t, uint32_t, uint32_t, char**, size_t*);
static char prefix[64];
static int constructed, main_ran;
__attribute__((constructor)) static void construct(void) { ++constructed; }
int main(void) { printf("main ran\n"); return main_ran++; }
EXPORT(proxy_abi_version_0_2_1) void version(void) {}
EXPORT(malloc) void* allocate(size_t size) { return malloc(size); }
EXPORT(proxy_on_context_create) void context_create(uint32_t id, uint32_t root) {}
EXPORT(proxy_on_vm_start) uint32_t vm_start(uint32_t id, uint32_t size) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  printf("the time is %s\n", now.tv_sec > 1600000000 ? "right" : "wrong");
  fprintf(stderr, "a file is %s\n", fopen("/etc/passwd", "r") != NULL ? "open" : "refused");
  return 1;
}
EXPORT(proxy_on_configure) uint32_t configure(uint32_t id, uint32_t size) {
  char* data = NULL;
  size_t length = 0;
  if (proxy_get_buffer_bytes(7, 0, size, &data, &length) == 0 && length < sizeof prefix) memcpy(prefix, data, length);
  free(data);
  return 1;
}
EXPORT(proxy_on_request_headers) uint32_t request_headers(uint32_t id, uint32_t count, uint32_t end) {
  char value[128];
  double volatile huge = 1e30;
  int8_t volatile negative = -2;
  snprintf(value, sizeof value, "%s %.3f constructed=%d main=%d %d %d", prefix, 1 / 3.0, constructed, main_ran, negative,
           huge > 0 ? (int)(negative + 0.0) : 0);
  proxy_add_header_map_value(0, "x-language", 10, value, strlen(value));
  return 0;
}
"""

# The same in the least of text. {start} is how it begins, {more} what the case is about.
TEXT_FILTER = """(module
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))
  (data (i32.const 16) "x-language") (data (i32.const 32) "0") (data (i32.const 48) "started")
  (func $count (i32.store8 (i32.const 32) (i32.add (i32.load8_u (i32.const 32)) (i32.const 1))))
  (func $begin (drop (call $log (i32.const 2) (i32.const 48) (i32.const 7))) (call $count))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get 0))))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $add (i32.const 0) (i32.const 16) (i32.const 10) (i32.const 32) (i32.const 1))) (i32.const 0))
  %s)
"""


def guest_compiler():
    """The C compiler beside the C++ compiler that the build has found for WebAssembly."""
    with open(os.path.join(BUILD, "CMakeCache.txt")) as cache:
        found = re.search(r"^INLAY_WASM_CXX:\w+=(.*)$", cache.read(), re.M)
    return found.group(1).replace("clang++", "clang")


@in_envoy_too
class LanguagesTest(TestCase):
    def header_of(self, module):
        """What the filter wrote into a request, and the proxy's log."""
        echo = self.start(Echo(self.directory))
        proxy = self.start_proxy(bootstrap([cluster("origin", echo.port)], [wasm(module, "configured")]), level="debug")
        return echoed(proxy.port)["headers"].get("x-language"), proxy.log()

    def compile_c(self, name, *flags):
        source = os.path.join(self.directory, name + ".c")
        module = os.path.join(self.directory, name + ".wasm")
        with open(source, "w") as file:
            file.write(C_FILTER)
        # Two steps: given a level of optimisation at the link, clang runs wasm-opt without the features in use.
        clang = [guest_compiler(), "--target=wasm32-wasi"]
        compiling = [flag for flag in flags if not flag.startswith("-mexec-model")]  # later ones refuse it without a link
        subprocess.run([*clang, "-O2", *compiling, "-c", source, "-o", source + ".o"], check=True)
        subprocess.run([*clang, *flags, source + ".o", "-o", module], check=True)
        return module

    def assemble(self, rest, *flags):
        module = os.path.join(self.directory, "text.wasm")
        with open(module + ".wat", "w") as file:
            file.write(TEXT_FILTER % rest)
        subprocess.run(["wat2wasm", *flags, module + ".wat", "-o", module], check=True)
        return module

    def check_libc(self, log):
        self.assertIn("the time is right", log)
        self.assertIn("a file is refused", log)
        self.assertNotIn("interpreter", log)

    def test_a_c_library_as_a_reactor(self):
        header, log = self.header_of(self.compile_c("reactor", "-mexec-model=reactor"))
        self.assertEqual(header, "configured 0.333 constructed=1 main=0 -2 -2")
        self.check_libc(log)

    def test_a_c_program_as_a_command(self):
        if not self.either(True, False, why="""a command's functions begin with its C library's start, which asks for the files
                                             that are open; in an allocation Envoy lets a guest call nothing"""):
            echo = self.start(Echo(self.directory))
            proxy = self.start_proxy(bootstrap([cluster("origin", echo.port)], [wasm(self.compile_c("command"), "configured")]))
            self.assertEqual(request(proxy.port).status, 503)
            self.assertIn("malloc failed: Uncaught Error: restricted_callback", proxy.log())
            return
        header, log = self.header_of(self.compile_c("command"))
        self.assertEqual(header, "configured 0.333 constructed=1 main=1 -2 -2")
        self.assertIn("main ran", log)
        self.check_libc(log)

    def test_every_feature_that_clang_has_for_webassembly_2(self):
        header, log = self.header_of(self.compile_c(
            "features", "-mexec-model=reactor", "-ftls-model=local-exec", "-mbulk-memory", "-msign-ext",
            "-mnontrapping-fptoint", "-mmutable-globals", "-mmultivalue", "-mreference-types"))
        self.assertEqual(header, "configured 0.333 constructed=1 main=0 -2 -2")
        self.check_libc(log)

    def test_the_ways_to_begin(self):
        # AssemblyScript has a start section; Rust and C reactors _initialize; commands _start; old Emscripten ones main.
        for start in ("(start $count)", '(export "_initialize" (func $begin))', '(export "_start" (func $begin))'):
            with self.subTest(start):
                header, log = self.header_of(self.assemble(start))
                self.assertEqual(header, "1")
                self.assertEqual("started" in log, "export" in start)

    @inlay_only("Envoy dies of it")
    def test_a_start_section_that_logs(self):
        """It runs before there is a context that could log."""
        header, log = self.header_of(self.assemble("(start $begin)"))
        self.assertEqual(header, "1")
        self.assertNotIn("started", log)

    @inlay_only("its two engines")
    def test_one_log_line_says_why_a_module_is_interpreted(self):
        for code, flag, name in (
                ("(drop (i32x4.extract_lane 1 (i32x4.splat (i32.const 42))))", "--enable-tail-call", "SIMD"),
                ("(try (do (throw $t)) (catch_all))", "--enable-exceptions", "exceptions"),
                ("(return_call $begin)", "--enable-tail-call", "tail calls")):
            with self.subTest(name):
                tag = "(tag $t)" if name == "exceptions" else ""
                header, log = self.header_of(self.assemble(f'{tag} (func (export "_initialize") {code})', flag))
                self.assertIn(header, ("0", "1"))
                lines = [line for line in log.splitlines() if "runs in the interpreter" in line]
                self.assertEqual(len(lines), 1, log)
                self.assertIn(f"it uses {name}, which the C translation lacks", lines[0])
