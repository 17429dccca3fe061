# SPDX-License-Identifier: Apache-2.0
"""Runs one module of tests/ and leaves a report for scripts/test:  run_module.py MODULE REPORT.json inlay|envoy|both [CASE]

inlay, envoy: only the cases that run in that one; both: all. CASE: only those whose name contains it.
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


from support.both import LEFT, is_in_envoy  # noqa: E402
from support.processes import TestCase, started  # noqa: E402


class CountingResult(unittest.TextTestResult):
    """Knows which tests passed. One that is to run in Envoy fails where neither its class nor the test has run one:
    support/processes.py sees that of each of its test cases, this also of others."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = []
        self.in_envoy = 0       # how many of those ran in Envoy
        self.cls = None
        self.envoys_before = 0  # when the class of tests that is under way began
        self.envoys = 0         # when the last test ended

    def startTest(self, test):
        if type(test) is not self.cls:
            self.cls, self.envoys_before = type(test), self.envoys
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.envoys = started["envoy"]

    def addSuccess(self, test):
        if is_in_envoy(test) and started["envoy"] == self.envoys_before:
            error = AssertionError("its class has run no Envoy")
            self.addFailure(test, (AssertionError, error, None))
            return
        super().addSuccess(test)
        self.passed.append(test.id())
        self.in_envoy += is_in_envoy(test)


def cases(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from cases(one)
        else:
            yield one


def main():
    module, report, where = sys.argv[1:4]
    if len(sys.argv) > 4:
        unittest.defaultTestLoader.testNamePatterns = [f"*{sys.argv[4]}*"]
    loaded = unittest.defaultTestLoader.loadTestsFromName(module)
    suite = unittest.TestSuite(case for case in cases(loaded) if where == "both" or is_in_envoy(case) == (where == "envoy"))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult).run(suite)
    failed = {str(test) for test, _ in result.failures + result.errors} | {str(t) for t in result.unexpectedSuccesses}
    with open(report, "w") as file:
        skipped = [(str(test), why) for test, why in result.skipped]
        json.dump({"passed": len(result.passed), "in_envoy": result.in_envoy,
                   "differing": len(TestCase.differing.intersection(result.passed)), "failed": sorted(failed),
                   "skipped": [f"{test}: {why}" for test, why in skipped if not why.startswith(LEFT)],
                   "left": [f"{test}: {why.removeprefix(LEFT)}" for test, why in skipped if why.startswith(LEFT)]}, file)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
