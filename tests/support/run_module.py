# SPDX-License-Identifier: Apache-2.0
"""Runs one module of tests/ and leaves a report for scripts/test:  run_module.py MODULE REPORT.json inlay|envoy [CASE]

inlay, envoy: only the cases that run in that one. CASE: only those whose name contains it.
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


from support.both import LEFT, is_in_envoy  # noqa: E402
from support.processes import TestCase  # noqa: E402


class CountingResult(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed.append(test.id())


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
    suite = unittest.TestSuite(case for case in cases(loaded) if is_in_envoy(case) == (where == "envoy"))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult).run(suite)
    failed = {str(test) for test, _ in result.failures + result.errors} | {str(t) for t in result.unexpectedSuccesses}
    with open(report, "w") as file:
        skipped = [(str(test), why) for test, why in result.skipped]
        json.dump({"passed": len(result.passed), "differing": len(TestCase.differing.intersection(result.passed)), "failed": sorted(failed),
                   "skipped": [f"{test}: {why}" for test, why in skipped if not why.startswith(LEFT)],
                   "left": [f"{test}: {why.removeprefix(LEFT)}" for test, why in skipped if why.startswith(LEFT)]}, file)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
