# SPDX-License-Identifier: Apache-2.0
"""Runs one module of tests/ and leaves a report for scripts/test:  run_module.py MODULE REPORT.json [CASE]

CASE: only the cases whose name contains it.
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class CountingResult(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    module, report = sys.argv[1:3]
    if len(sys.argv) > 3:
        unittest.defaultTestLoader.testNamePatterns = [f"*{sys.argv[3]}*"]
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult).run(suite)
    failed = {str(test) for test, _ in result.failures + result.errors} | {str(t) for t in result.unexpectedSuccesses}
    with open(report, "w") as file:
        json.dump({"passed": result.passed, "failed": sorted(failed),
                   "skipped": [f"{test}: {why}" for test, why in result.skipped]}, file)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
