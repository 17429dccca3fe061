# SPDX-License-Identifier: Apache-2.0
"""Where a test runs. Each class of tests says it, in one of these forms, and test_both.py has no class without:

    @in_envoy_too
    class Relay(TestCase): ...            a second class, RelayInEnvoy, has the same tests with Envoy in the proxy's place

    @inlay_only("the command line is Inlay's own")
    class CommandLine(TestCase): ...      the same on a test: its class runs in both, but for that one

    @needs_envoy()                        is about Envoy alone (support/envoy.py)

A test starts what it tests with self.start_proxy, or as self.KIND(...).
A test that is to run in Envoy and has run none fails (support/processes.py, support/run_module.py).
Where the two differ it says so:

    self.either(inlay=503, envoy=404, why="Envoy has no route for it")

and fails as soon as that is no longer true. @in_envoy_too(only_make_envoy="it takes a minute") leaves a class, and
@only_make_envoy("...") a test, to `make envoy`; `make test` lists them.
"""

import os
import sys
import unittest

from .envoy import Envoy, needs_envoy

SUFFIX = "InEnvoy"
LEFT = "left to `make envoy`: "
_all = unittest.TestLoader()  # the default one may have been told to look at some names only


def inlay_only(why):
    """Marks a class or a test that is about Inlay itself."""
    assert isinstance(why, str) and why, "@inlay_only(why)"

    def mark(what):
        what.inlay_only = why
        return what
    return mark


def only_make_envoy(why):
    """Leaves the variant of a test in Envoy to `make envoy`."""
    def mark(test):
        test.only_make_envoy = why
        return test
    return mark


def in_envoy_too(cls=None, *, only_make_envoy=None):
    """Gives the module a second class with the tests of this one, that runs them in Envoy."""
    if cls is None:
        return lambda marked: in_envoy_too(marked, only_make_envoy=only_make_envoy)
    members = {"KIND": Envoy, "__module__": cls.__module__, "__doc__": cls.__doc__}
    for name in _all.getTestCaseNames(cls):
        test = getattr(cls, name)
        if hasattr(test, "inlay_only"):
            members[name] = None  # so the loader does not find it
            continue
        why = getattr(test, "only_make_envoy", None) or only_make_envoy
        if why:
            members[name] = _left(test, why)
    twin = needs_envoy()(type(cls.__name__ + SUFFIX, (cls,), members))
    setattr(sys.modules[cls.__module__], twin.__name__, twin)
    cls.in_envoy_too = twin
    return cls


def _left(test, why):
    if os.environ.get("INLAY_IN_ENVOY") == "all":
        return test

    def left(self):
        raise unittest.SkipTest(LEFT + why)
    left.__name__, left.__doc__ = test.__name__, test.__doc__
    return left


def is_in_envoy(test):
    """Whether a test case is one that runs in Envoy."""
    method = getattr(test, test._testMethodName, None)
    return issubclass(getattr(test, "KIND", object), Envoy) or any(hasattr(what, "needs_envoy") for what in (type(test), method))


def unmarked(module):
    """The names of a module's classes of tests that do not say where they run."""
    found = []
    for name, cls in vars(module).items():
        if not isinstance(cls, type) or not issubclass(cls, unittest.TestCase) or cls.__module__ != module.__name__:
            continue
        tests = _all.getTestCaseNames(cls)
        said = any(mark in vars(cls) for mark in ("inlay_only", "in_envoy_too", "needs_envoy"))
        if tests and not said and not all(hasattr(getattr(cls, test), "needs_envoy") for test in tests):
            found.append(name)
    return found
