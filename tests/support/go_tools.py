# SPDX-License-Identifier: Apache-2.0
"""Programs of others that Go builds, of modules whose version and sum scripts/pins names; what each needs is of its own go.sum. They stay below
build/, and nothing but the tests that use them needs Go.

    seconds = build("oras.land/oras", "./cmd/oras", os.path.join(ROOT, "build", "tools", "oras"))
"""

import json
import os
import re
import shutil
import subprocess
import time

from .processes import ROOT

# What a client says that reaches no registry.
NOT_REACHED = (r"dial tcp|no such host|i/o timeout|connection refused|proxyconnect|TLS handshake timeout|server misbehaving|"
               r"403 Forbidden|module lookup disabled")


class Missing(Exception):
    """Why a program cannot be had here."""


def tail(text):
    """The last line of what a program said."""
    return " ".join(text.strip().splitlines()[-1:])[:300]


def environment():
    return {"GOFLAGS": "-mod=readonly -p=2 -buildvcs=false", "GOMEMLIMIT": "6GiB", "GOTOOLCHAIN": "local", **os.environ}


def need_go(wanted):
    """Missing where there is no Go of the version `wanted`, ("1", "26"), or a later one."""
    if shutil.which("go") is None:
        raise Missing("there is no go to build it with")
    says = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)", says)
    if not found or tuple(map(int, found.groups())) < tuple(map(int, wanted)):
        raise Missing(f"it needs Go {'.'.join(wanted)} or later, and there is {says.strip() or 'one that does not run'}")


def wanted_go(folder):
    """The version of Go that a module's go.mod asks for."""
    with open(os.path.join(folder, "go.mod")) as file:
        return re.search(r"^go (\d+)\.(\d+)", file.read(), re.M).groups()


def all_pinned(package):
    """(version, sum) of each in scripts/pins, in their order."""
    with open(os.path.join(ROOT, "scripts", "pins")) as file:
        return [tuple(line.split()[1::2]) for line in file if line.startswith(package + " ")]


def pinned(package):
    """(version, sum) of the first one."""
    return all_pinned(package)[0]


def fetch(package):
    """The folder of the pinned module. Missing where it is not to be had; ends the program if it has another sum."""
    version, digest = pinned(package)
    done = subprocess.run(["go", "mod", "download", "-json", f"{package}@{version}"], cwd="/", env={**environment(), "GOFLAGS": ""},
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{package} could not be fetched: {tail(done.stderr or done.stdout)}")
    found = json.loads(done.stdout)
    if found["Sum"] != digest:
        raise SystemExit(f"{package} {version} has the sum {found['Sum']}, and not {digest}, as scripts/pins says")
    return found["Dir"]


# What the tests of tests/mesh run beside Istio's code: each a package and a command of it.
TOOLS = {"crane": ("github.com/google/go-containerregistry", "./cmd/crane"), "oras": ("oras.land/oras", "./cmd/oras"),
         "kustomize": ("sigs.k8s.io/kustomize/kustomize/v5", ".")}
TOOLS_HOME = os.path.join(ROOT, "build", "tools")


def build_tools():
    """Builds them all, and says which cannot be had; the seconds that it took."""
    seconds = 0
    for name, (package, command) in TOOLS.items():
        missing = os.path.join(TOOLS_HOME, name + ".missing")
        try:
            seconds += build(package, command, os.path.join(TOOLS_HOME, name))
            if os.path.exists(missing):
                os.remove(missing)
        except Missing as why:
            os.makedirs(TOOLS_HOME, exist_ok=True)
            with open(missing, "w") as file:
                file.write(str(why))
            print(f"{name} is not here ({why}); its cases are skipped", flush=True)
    return seconds


def tool(test, name):
    """Its path; skips the test, aloud, where it could not be built."""
    path = os.path.join(TOOLS_HOME, name)
    if not os.access(path, os.X_OK):
        why = "scripts/mesh builds it"
        if os.path.exists(path + ".missing"):
            with open(path + ".missing") as file:
                why = file.read()
        test.skipTest(f"there is no {name}: {why}")
    return path


def build(package, command, program):
    """Leaves the command of the pinned module at the path `program`, once a version; the seconds that it took. Missing where it cannot be had."""
    version = " ".join(pinned(package))
    ready = program + ".version"
    if os.path.exists(program) and os.path.exists(ready):
        with open(ready) as file:
            if file.read() == version:
                return 0
    need_go(("1", "21"))
    source = fetch(package)
    need_go(wanted_go(source))
    os.makedirs(os.path.dirname(program), exist_ok=True)
    begun = time.monotonic()
    done = subprocess.run(["go", "build", "-o", program, command], cwd=source, env={**environment(), "CGO_ENABLED": "0"},
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        if re.search(NOT_REACHED, done.stderr):
            raise Missing(f"what {package} needs could not be fetched: {tail(done.stderr)}")
        raise SystemExit(f"{package} does not build:\n{done.stderr[-3000:]}")
    with open(ready, "w") as file:
        file.write(version)
    return time.monotonic() - begun
