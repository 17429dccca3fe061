# SPDX-License-Identifier: Apache-2.0
"""A run of tests in a network, a mount and, where one is not root, a user namespace of its own: scripts/mesh and scripts/gateway. It needs no
root and leaves nothing behind: what is mounted, and who listens where, is theirs alone.

    network = PrivateNetwork("gateway", "ip link set lo up", hosts="127.0.0.1 localhost\\n", folder=BUILT)
    return network.run([sys.executable, __file__, "--inside"])          # which ends with run_suite(...)
"""

import glob
import os
import shutil
import subprocess
import sys
import time
import unittest

from .go_tools import tail
from .processes import ROOT


def skip(name, why):
    """Ends the program, aloud: nothing could be run, and nothing is wrong."""
    print(f"{name}: SKIPPED: {why}")
    sys.exit(0)


class PrivateNetwork:
    """script: shell commands, one a line, that make it what it is. hosts: what stands in /etc/hosts. folder: where the latter is kept."""

    def __init__(self, name, script, hosts, folder):
        for program in ("unshare", "ip", "iptables"):
            if shutil.which(program) is None:
                skip(name, f"there is no {program} (scripts/bootstrap mesh)")
        path = os.path.join(folder, "hosts")
        with open(path, "w") as file:
            file.write(hosts)
        self.command = ["unshare", "--net", "--mount", "--fork", "--kill-child"]
        if os.geteuid() != 0:
            self.command += ["--user", "--map-root-user"]
        self.script = " && ".join([*script.strip().splitlines(), f"mount --bind '{path}' /etc/hosts"])
        probe = subprocess.run([*self.command, "bash", "-c", self.script], capture_output=True, text=True, check=False)
        if probe.returncode:
            skip(name, f"no network namespace can be made here: {tail(probe.stderr)}")

    def run(self, command):
        """Runs it inside; its exit status."""
        return subprocess.run([*self.command, "bash", "-c", self.script + ' && exec "$@"', "inside", *command], check=False).returncode


def run_suite(name, filters, pattern, nacks, built):
    """Runs tests/NAME/test_*.py, those whose name contains one of `filters`, and of them the cases whose name contains `pattern`. The last line
    counts them, and the updates that Envoy refused, which nacks() says; `built` says what was built. The exit status."""
    names = sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(ROOT, "tests", name, "test_*.py")))
    names = [one for one in names if not filters or any(word in one for word in filters)]
    if pattern:
        unittest.defaultTestLoader.testNamePatterns = [f"*{pattern}*"]
    suite = unittest.defaultTestLoader.loadTestsFromNames([f"{name}.{one}" for one in names])
    begun = time.monotonic()
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    print(f"{name}: {passed} passed, {failed} failed{f', {skipped} skipped' if skipped else ''}; {nacks()} NACKs; "
          f"{built}, the cases ran for {time.monotonic() - begun:.0f} s")
    return 1 if failed or nacks() or not result.testsRun else 0
