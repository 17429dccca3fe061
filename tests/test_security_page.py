# SPDX-License-Identifier: Apache-2.0
"""SECURITY.md names the test of each claim: the tests are there."""

import os
import re
import unittest

from support.both import inlay_only
from support.processes import ROOT

# Where tests stand, apart from the rooms' own folders.
ROOMS = ("abi", "base", "cli", "compiler", "config", "deploy", "document", "engine", "filters", "host", "http", "inspect", "match", "net", "package", "proxy",
         "sdk", "stats", "testkit", "tests", "tls", "upstream")


def sources(ending):
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(ROOT, room)):
            for name in names:
                if name.endswith(ending):
                    with open(os.path.join(folder, name)) as file:
                        yield os.path.join(folder, name), file.read()


@inlay_only("reads; nothing runs")
class SecurityPage(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "SECURITY.md")) as file:
            self.text = file.read()

    def test_the_tests_that_it_names_are_there(self):
        cases = {f"{suite}.{test}" for _, text in sources("_test.cc")
                 for suite, test in re.findall(r"\bTEST(?:_[FP])?\((\w+),\s*(\w+)\)", text)}
        for _, text in sources(".py"):
            suite = None
            for kind, name in re.findall(r"^(class |    def )(\w+)", text, re.M):
                suite = name if kind == "class " else suite
                cases.add(f"{suite}.{name}")
        named = re.findall(r"`([A-Z]\w+\.\w+)`", self.text)
        self.assertGreater(len(named), 30)
        self.assertEqual([name for name in named if name not in cases and not name.endswith((".md", ".yaml"))], [])

    def test_so_are_the_suites_and_fuzzers(self):
        fuzzers = {os.path.basename(path)[:-3] for path, _ in sources("_fuzz.cc")}
        for name in re.findall(r"`(\w+_fuzz)`", self.text):
            self.assertIn(name, fuzzers)
        suites = " ".join(text for ending in ("_test.cc", ".py") for _, text in sources(ending))
        for name in ("ParserTable", "FaultMatrix"):
            self.assertIn(f"`{name}`", self.text)
            self.assertRegex(suites, rf"\b{name}\b")


if __name__ == "__main__":
    unittest.main()
