# SPDX-License-Identifier: Apache-2.0
"""Every class of tests says where it runs (support/both.py), and the marks do what they say."""

import glob
import importlib
import io
import os
import subprocess
import sys
import types
import unittest
from unittest import mock

from support import both, envoy
from support.both import inlay_only
from support.envoy import Envoy
from support.processes import BUILD, ROOT, Proxy, TestCase, started
from support.run_module import CountingResult


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
        class InEnvoy(TestCase):
            KIND = Envoy

            def test(self):
                pass

        class AboutEnvoy(TestCase):
            def test(self):
                pass
            test.needs_envoy = True
        for case in (InEnvoy, AboutEnvoy):
            with self.subTest(case.__name__):
                result = unittest.TestResult()
                case("test").run(result)
                self.assertIn("no Envoy was run", result.failures[0][1])

    def test_one_whose_class_runs_none_fails(self):
        """Of whatever class; one that its class has run for all its tests is enough."""
        class Bare(unittest.TestCase):
            KIND = Envoy
            runs = 0

            @classmethod
            def setUpClass(cls):
                started["envoy"] += cls.runs

            def test(self):
                pass

        class Other(Bare):
            pass

        class Running(Bare):
            runs = 1
        with mock.patch.dict(started, {"envoy": 5}):
            result = CountingResult(unittest.runner._WritelnDecorator(io.StringIO()), False, 0)
            result.envoys = 5
            unittest.TestSuite(cls("test") for cls in (Bare, Running, Other)).run(result)
        self.assertEqual([type(test) for test, _ in result.failures], [Bare, Other])
        self.assertIn("its class has run no Envoy", result.failures[0][1])
        self.assertEqual(len(result.passed), 1)

    def test_what_is_slow_is_left_to_make_envoy(self):
        with mock.patch.dict(os.environ, {"INLAY_IN_ENVOY": ""}):
            with self.assertRaisesRegex(unittest.SkipTest, both.LEFT + "a minute"):
                self.module(both.in_envoy_too).CaseInEnvoy("test_slow").test_slow()
        with mock.patch.dict(os.environ, {"INLAY_IN_ENVOY": "all"}):
            self.assertIsNone(self.module(both.in_envoy_too).CaseInEnvoy("test_slow").test_slow())


@inlay_only("the suite itself")
class WhatEnvoyNames(TestCase):
    """The variable ENVOY: what it names has a version of its own."""

    SAYS = "echo; echo 'envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.41.2-dev/Clean/RELEASE/BoringSSL'"

    def found(self, script, version=""):
        """(version, path, why) with ENVOY as a program of these lines."""
        path = os.path.join(self.directory, "envoy")
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)
        envoy.version_of.cache_clear()
        with mock.patch.dict(os.environ, {"ENVOY": path, "INLAY_ENVOY_VERSION": version}):
            found, why = envoy.find_envoy()
            return envoy.version(), found and os.path.basename(found), why and why.replace(self.directory, "")

    def test_it_is_asked(self):
        self.assertEqual(self.found(self.SAYS), ("1.41.2", "envoy", None))
        self.assertEqual(self.found(self.SAYS, "1.41.2"), ("1.41.2", "envoy", None))

    def test_it_stands_in_for_no_other(self):
        self.assertEqual(self.found(self.SAYS, "1.40.0"), ("1.40.0", None, "no Envoy 1.40.0: ENVOY=/envoy is Envoy 1.41.2"))

    def test_what_is_no_envoy(self):
        first = envoy.pinned_versions()[0]
        self.assertEqual(self.found("echo 2"), (first, None, "ENVOY=/envoy: `/envoy --version` names no version of Envoy"))
        with mock.patch.dict(os.environ, {"ENVOY": "/nowhere"}):
            self.assertEqual(envoy.find_envoy(), (None, "ENVOY=/nowhere: no program is there"))


@inlay_only("the suite itself")
class OneVersion(unittest.TestCase):
    """scripts/test --envoy."""

    def run_tests(self, *arguments, **environment):
        done = subprocess.run([os.path.join(ROOT, "scripts", "test"), os.path.basename(BUILD), *arguments], capture_output=True, text=True,
                              env={**{name: value for name, value in os.environ.items() if name != "ENVOY"}, **environment}, check=False)
        return done.returncode, done.stdout.strip().splitlines()[-1:], done.stderr

    def test_one_that_is_not_pinned_is_refused(self):
        status, _, said = self.run_tests("tcp", "--envoy", "9.9.9")
        self.assertEqual(status, 1)
        self.assertIn("--envoy 9.9.9: scripts/pins has no such Envoy; there are: 1.40.0, ", said)

    def test_the_conformance_runner_refuses_it_too(self):
        for arguments, words in ((["--envoy", "9.9.9"], "--envoy 9.9.9: scripts/pins has no such Envoy; there are: all, 1.40.0, "),
                                 (["--envoy", "1.40.0", "no_such_case"], "no case that was chosen runs in Envoy")):
            done = subprocess.run([os.path.join(BUILD, "conformance", "conformance"), *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(words, done.stderr)

    def test_one_that_is_not_here_is_skipped_aloud(self):
        version = envoy.pinned_versions()[0]
        self.assertEqual(self.run_tests("tcp", "--envoy", version, ENVOY="/nowhere"),
                         (0, [f"Envoy {version} is skipped: ENVOY=/nowhere: no program is there"], ""))

    def test_what_has_nothing_in_envoy_fails(self):
        status, last, said = self.run_tests("both", "--envoy", envoy.pinned_versions()[0])
        self.assertEqual((status, last), (1, []))
        self.assertIn("nothing that was chosen runs in Envoy", said)


if __name__ == "__main__":
    unittest.main()
