# SPDX-License-Identifier: Apache-2.0
"""Every class of tests says where it runs (support/both.py), and the marks do what they say."""

import glob
import importlib
import os
import sys
import types
import unittest
from unittest import mock

from support import both
from support.both import inlay_only
from support.envoy import Envoy
from support.processes import ROOT, Proxy, TestCase


@inlay_only("the suite itself")
class EveryModule(unittest.TestCase):
    def test_says_where_it_runs(self):
        names = [os.path.basename(path)[:-3] for path in glob.glob(os.path.join(ROOT, "tests", "test_*.py"))]
        self.assertGreater(len(names), 30)
        for name in sorted(names):
            with self.subTest(name):
                self.assertEqual(both.unmarked(importlib.import_module(name)), [],
                                 "these say neither @in_envoy_too nor @inlay_only(why) nor @needs_envoy()")


@inlay_only("the suite itself")
class Marks(unittest.TestCase):
    def module(self, *marks):
        """A module with one class of tests of its own, marked."""
        module = types.ModuleType("marked")

        class Case(TestCase):
            def test_anywhere(self):
                """Passes where the two are told apart."""
                return self.either(1, 2, why="a reason")

            @inlay_only("a reason")
            def test_in_inlay(self):
                pass

            @both.only_make_envoy("a minute")
            def test_slow(self):
                pass
        Case.__module__ = "marked"
        setattr(module, "Case", Case)
        sys.modules["marked"] = module
        self.addCleanup(sys.modules.pop, "marked", None)
        for mark in marks:
            mark(Case)
        return module

    def test_a_class_without_one_is_found(self):
        self.assertEqual(both.unmarked(self.module()), ["Case"])
        self.assertEqual(both.unmarked(self.module(both.in_envoy_too)), [])
        self.assertEqual(both.unmarked(self.module(inlay_only("a reason"))), [])

    def test_the_second_class_has_the_tests_that_are_not_inlays_own(self):
        module = self.module(both.in_envoy_too)
        first, second = module.Case, module.CaseInEnvoy
        self.assertEqual((first.KIND, second.KIND), (Proxy, Envoy))
        self.assertEqual(unittest.TestLoader().getTestCaseNames(first), ["test_anywhere", "test_in_inlay", "test_slow"])
        self.assertEqual(unittest.TestLoader().getTestCaseNames(second), ["test_anywhere", "test_slow"])
        self.assertEqual([both.is_in_envoy(case("test_slow")) for case in (first, second)], [False, True])
        self.assertEqual([case("test_anywhere").test_anywhere() for case in (first, second)], [1, 2])

    def test_one_that_runs_something_else_fails(self):
        class Case(TestCase):
            KIND = Envoy

            def test(self):
                pass
        result = unittest.TestResult()
        Case("test").run(result)
        self.assertIn("no Envoy was run", result.failures[0][1])

    def test_what_is_slow_is_left_to_make_envoy(self):
        with mock.patch.dict(os.environ, {"INLAY_IN_ENVOY": ""}):
            with self.assertRaisesRegex(unittest.SkipTest, both.LEFT + "a minute"):
                self.module(both.in_envoy_too).CaseInEnvoy("test_slow").test_slow()
        with mock.patch.dict(os.environ, {"INLAY_IN_ENVOY": "all"}):
            self.assertIsNone(self.module(both.in_envoy_too).CaseInEnvoy("test_slow").test_slow())


if __name__ == "__main__":
    unittest.main()
