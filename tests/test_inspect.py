# SPDX-License-Identifier: Apache-2.0
"""`inlay inspect`: text, JSON, what is no module, and its figures against those of other tools."""

import json
import os
import shutil
import subprocess
import unittest

from support.both import inlay_only
from support.processes import INLAY, TestCase, filter_module


def inspect(*arguments, environment=None):
    done = subprocess.run([INLAY, "inspect", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **(environment or {})))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def facts(path, *arguments, **options):
    status, out, err = inspect(path, "--json", *arguments, **options)
    assert status == 0, err
    return json.loads(out)


@inlay_only("a subcommand of Inlay's")
class Inspect(TestCase):
    def write(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_the_filter_as_text(self):
        status, out, err = inspect(filter_module(), "--no-wasm-opt")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("a proxy-wasm module of ABI 0.2.1; it runs here", out)
        self.assertIn("proxy_http_call", out)
        self.assertNotIn("wasm-opt", out)
        self.assertLessEqual(max(map(len, out.splitlines()[1:])), 100)

    def test_the_filter_as_json(self):
        found = facts(filter_module(), "--no-wasm-opt", "--functions", "3")
        self.assertEqual(found["format"], 1)
        self.assertEqual(found["size"], os.path.getsize(filter_module()))
        self.assertEqual(found["proxy_wasm"], {"abi_version": "0.2.1", "runs": True, "faults": []})
        self.assertEqual(len(found["functions"]["largest"]), 3)
        self.assertEqual(sum(section["size"] for section in found["sections"]), found["size"] - 8)
        self.assertTrue(all(callback["called"] for callback in found["callbacks"]))
        self.assertTrue(all(function["support"] == "full" for function in found["host_functions"]))
        self.assertNotIn("wasm_opt", found)

    def test_the_capabilities_are_those_it_needs(self):
        found = facts(filter_module(), "--no-wasm-opt")
        names = {f["name"] for f in found["host_functions"]} | {c["name"] for c in found["callbacks"]}
        self.assertEqual(found["allowed_capabilities"], sorted(names))

    def test_sections_are_those_that_wasm_objdump_sees(self):
        text = subprocess.run(["wasm-objdump", "-h", filter_module()], stdout=subprocess.PIPE, check=True).stdout.decode()
        theirs = [line.split()[0].lower() for line in text.splitlines() if " start=" in line]
        ours = facts(filter_module(), "--no-wasm-opt")["sections"]
        self.assertEqual([section["name"] for section in ours], theirs)

    def test_a_strip_saves_what_it_says(self):
        path = os.path.join(self.directory, "full.wasm")
        text = self.write("full.wat", b'(module (func $a_name (export "run") (param $one i32)) (memory 1))')
        subprocess.run(["wat2wasm", "--debug-names", text, "-o", path], check=True)
        found = facts(path, "--no-wasm-opt")
        self.assertGreater(found["strip"]["names"], 0)
        self.assertEqual(found["functions"]["largest"][0]["name"], "a_name")
        subprocess.run(["wasm-strip", path], check=True)
        self.assertEqual(os.path.getsize(path), found["size"] - found["strip"]["total"])

    def test_wasm_opt_is_run_where_there_is_one(self):
        found = facts(filter_module(), environment={"PATH": "/nowhere"})["wasm_opt"]
        self.assertEqual(found["outcome"], "skipped")
        self.assertIn("binaryen", found["reason"])
        if shutil.which("wasm-opt") is None:
            self.skipTest("there is no wasm-opt")
        found = facts(filter_module())["wasm_opt"]
        self.assertEqual(found["outcome"], "ran", found)
        out = os.path.join(self.directory, "small.wasm")
        subprocess.run(["wasm-opt", *found["flags"], filter_module(), "-o", out], check=True)
        self.assertEqual(os.path.getsize(out), found["size"])

    def test_what_is_no_module(self):
        with open(filter_module(), "rb") as file:
            module = file.read()
        for name, content, words in (
                ("empty.wasm", b"", "does not begin with"), ("text.wasm", b"(module)", "wat2wasm"),
                ("cut.wasm", module[:-10], "offset"), ("counts.wasm", b"\0asm\1\0\0\0\1\5\xff\xff\xff\xff\x0f", "offset"),
                ("huge.wasm", b"\0asm\1\0\0\0\1\xff\xff\xff\xff\x0f", "offset")):
            path = self.write(name, content)
            for flags in ((), ("--json",)):
                status, out, err = inspect(path, *flags)
                self.assertEqual((status, out), (1, ""))
                self.assertIn(name, err)
                self.assertIn(words, err)
        status, _, err = inspect(os.path.join(self.directory, "none.wasm"))
        self.assertEqual(status, 1)
        self.assertIn("none.wasm", err)

    def test_a_folder_is_no_module(self):
        for command in ("inspect", "compile"):
            done = subprocess.run([INLAY, command, self.directory], stderr=subprocess.PIPE, timeout=600)
            self.assertEqual(done.returncode, 1)
            self.assertIn(self.directory, done.stderr.decode())

    def test_a_module_for_something_else(self):
        path = self.write("bare.wasm", b"\0asm\1\0\0\0")
        status, out, _ = inspect(path, "--no-wasm-opt")
        self.assertEqual(status, 0)
        self.assertIn("not a proxy-wasm module; it cannot run here:", out)
        self.assertIn("- it exports no memory", out)
        self.assertFalse(facts(path, "--no-wasm-opt")["proxy_wasm"]["runs"])


if __name__ == "__main__":
    unittest.main()
