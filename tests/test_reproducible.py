# SPDX-License-Identifier: Apache-2.0
"""The filter's build: the same sources give the same bytes, and a module over its budget is no module."""

import os
import subprocess
import unittest

from support.both import inlay_only
from support.processes import ROOT, TestCase, filter_module


@inlay_only("the filter's build; nothing runs")
class Build(TestCase):
    def test_two_folders_give_the_same_module(self):
        done = subprocess.run([os.path.join(ROOT, "scripts", "reproducible"), filter_module()], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=500)
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def size(self, budget):
        done = subprocess.run(["cmake", f"-DMODULE={filter_module()}", "-DNAME=filter", f"-DBUDGET={budget}",
                               "-DOBJDUMP=wasm-objdump", "-P", os.path.join(ROOT, "cmake", "wasm_size.cmake")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        return done.returncode, done.stdout.decode()

    def test_the_budget(self):
        size = os.path.getsize(filter_module())
        status, text = self.size(size)
        self.assertEqual(status, 0, text)
        self.assertRegex(text, rf"filter\.wasm: {size} of {size} bytes: type=\d+ .*code=\d+")
        status, text = self.size(size - 1)
        self.assertNotEqual(status, 0)
        self.assertIn(f"its budget is {size - 1}", text.replace("\n", " "))


if __name__ == "__main__":
    unittest.main()
