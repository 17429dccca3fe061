# SPDX-License-Identifier: Apache-2.0
"""h2spec, the conformance tests of HTTP/2 servers: built by Go below build/ from what tests/h2spec pins."""

import fcntl
import os
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

from .processes import ROOT

SOURCE = os.path.join(ROOT, "tests", "h2spec")
HOME = os.path.join(ROOT, "build", "h2spec")
PROGRAM = os.path.join(HOME, "h2spec")
PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec"
NOT_REACHED = ("dial tcp", "no such host", "connection refused", "i/o timeout", "403 Forbidden", "requires go >=", "proxyconnect")


def install():
    """Leaves the program in PROGRAM. Skips, aloud, where there is no Go or it reaches no module proxy."""
    if not shutil.which("go"):
        raise unittest.SkipTest("there is no Go to build h2spec with")
    os.makedirs(HOME, exist_ok=True)
    with open(os.path.join(HOME, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["go", "build", "-mod=readonly", "-o", PROGRAM, PACKAGE], cwd=SOURCE, capture_output=True, text=True, timeout=600,
                              check=False, env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-p=2"})
    if done.returncode == 0:
        return
    if any(word in done.stderr for word in NOT_REACHED):
        raise unittest.SkipTest("Go gets no h2spec: " + done.stderr[-300:])
    raise AssertionError(f"go build ended with {done.returncode}:\n{done.stderr[-2000:]}")


def run(port, report, *options):
    """(names of the tests that passed, {name: why} of those that failed, what was printed)."""
    done = subprocess.run([PROGRAM, "-h", "127.0.0.1", "-p", str(port), "-o", "30", "-j", report, *options, "generic", "http2", "hpack"],
                          capture_output=True, text=True, errors="replace", timeout=3000, check=False)
    passed, failed = [], {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('package')}: {case.get('classname')}"
        fault = case.find("failure") if case.find("failure") is not None else case.find("error")
        if fault is None:
            passed.append(name)
        else:
            failed[name] = fault.text
    return passed, failed, done.stdout
