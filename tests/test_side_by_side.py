# SPDX-License-Identifier: Apache-2.0
"""What jobs that run side by side share below build/ is made by one of them, while the others wait."""

import os
import stat
import subprocess
import sys

from support.both import inlay_only
from support.processes import ROOT, TestCase, wait_until

# Says that it is called, then waits until it may end.
NPM = """#!/bin/sh
echo called >> "$INLAY_TEST_PLACE/calls"
while [ ! -e "$INLAY_TEST_PLACE/go" ]; do sleep 0.05; done
"""
JOB = """
import os
from support import oidc
oidc.HOME = os.path.join(os.environ["INLAY_TEST_PLACE"], "oidc")
print("begins", flush=True)
oidc.install()
print("has it", sorted(os.listdir(oidc.HOME)), flush=True)
"""


@inlay_only("the suite itself")
class TheAuthorizationServer(TestCase):
    def begin(self):
        environment = {**os.environ, "INLAY_TEST_PLACE": self.directory, "PATH": f"{self.directory}:{os.environ['PATH']}",
                       "PYTHONPATH": os.path.join(ROOT, "tests"), "PYTHONDONTWRITEBYTECODE": "1"}
        job = subprocess.Popen([sys.executable, "-c", JOB], env=environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(job.stdout.close)
        self.addCleanup(job.wait)
        self.addCleanup(job.kill)
        self.assertEqual(job.stdout.readline(), "begins\n")
        return job

    def path(self, name):
        return os.path.join(self.directory, name)

    def calls(self):
        if not os.path.exists(self.path("calls")):
            return 0
        with open(self.path("calls")) as file:
            return len(file.readlines())

    def test_is_installed_once(self):
        for name in ("npm", "node"):
            with open(self.path(name), "w") as file:
                file.write(NPM)
            os.chmod(self.path(name), stat.S_IRWXU)
        first = self.begin()
        wait_until(lambda: self.calls() == 1, "npm")
        others = [self.begin() for _ in range(3)]
        with open(self.path("go"), "w"):
            pass
        for job in (first, *others):
            self.assertIn("'installed', 'lock', 'package-lock.json', 'package.json', 'server.mjs'", job.stdout.read())
            self.assertEqual(job.wait(), 0)
        self.assertEqual(self.calls(), 1)
