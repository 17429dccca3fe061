# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on loopback, and modules pushed to it as `inlay package` says."""

import os
import re
import shutil
import subprocess

from .processes import INLAY, filter_module, free_port

CONFIGURATION = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {storage}}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


def start_registry(test):
    """Its port; skips the test, aloud, where skopeo or docker-registry is missing."""
    for program in ("skopeo", "docker-registry"):
        if shutil.which(program) is None:
            test.skipTest(f"there is no {program} (scripts/bootstrap test)")
    port = free_port()
    path = os.path.join(test.directory, "registry.yml")
    with open(path, "w") as file:
        file.write(CONFIGURATION.format(storage=os.path.join(test.directory, "storage"), port=port))
    test.start_program("registry", ["docker-registry", "serve", path], port)
    return port


def push_filter(test, form):
    """Packages the filter, pushes it to a registry with skopeo, and returns the image as a values file names it."""
    port, image = start_registry(test), os.path.join(test.directory, "image")
    said = subprocess.run([INLAY, "package", filter_module(), "-o", image, "--form", form, "--name", f"127.0.0.1:{port}/filter"],
                          capture_output=True, text=True, check=True).stdout
    subprocess.run(["skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", f"oci:{image}:latest",
                    f"docker://127.0.0.1:{port}/filter:latest"], check=True, capture_output=True,
                   env={**os.environ, "HOME": test.directory, "XDG_RUNTIME_DIR": test.directory})
    return re.search(r"pull +(\S+)", said)[1]
