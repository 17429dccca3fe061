# SPDX-License-Identifier: Apache-2.0
"""What `inlay validate` and `envoy --mode validate` say of one bootstrap."""

import json
import os
import re
import subprocess

from support.certificates import Authority
from support.envoy import find_envoy
from support.processes import INLAY

# How Inlay says that it lacks something: an error of this kind is no wrong answer.
LACKS = re.compile(r"does not support it yet|is not something that Inlay supports|but Inlay supports only")


class Comparison:
    """Judges bootstraps; files in `directory`."""

    def __init__(self, directory):
        self.directory = directory
        authority = Authority(directory, "authority")
        certificate, key = authority.issue("a.test", "DNS:a.test")
        self.files = {"@cert": certificate, "@key": key, "@ca": authority.certificate, "@sds": os.path.join(directory, "sds.yaml")}
        with open(self.files["@sds"], "w") as file:
            json.dump({"resources": [{"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "name": "own", "tls_certificate": {
                "certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}}]}, file)

    def text(self, bootstrap):
        text = json.dumps(bootstrap)
        for name, path in self.files.items():
            text = text.replace(f'"{name}"', json.dumps(path))
        return text

    def judge(self, bootstrap, name):
        """(verdict, Envoy's last words, Inlay's errors). The verdict: "both" or "neither" take it, "only Envoy", "only Inlay", or
        "lacks" where Inlay says of all that it minds that it has not got it."""
        path = os.path.join(self.directory, f"{name}.json")
        with open(path, "w") as file:
            file.write(self.text(bootstrap))
        envoy = subprocess.run([find_envoy()[0], "--mode", "validate", "-c", path, "--log-level", "error"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        inlay = subprocess.run([INLAY, "validate", "-c", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        os.unlink(path)
        said = inlay.stdout.decode(errors="replace")
        errors = [line.split(": error: ", 1)[1] for line in said.splitlines() if ": error: " in line]
        words = " ".join(envoy.stdout.decode(errors="replace").split())[-300:]
        if (envoy.returncode == 0) == (inlay.returncode == 0):
            verdict = "both" if envoy.returncode == 0 else "neither"
        elif inlay.returncode == 0:
            verdict = "only Inlay"
        else:
            verdict = "lacks" if errors and all(LACKS.search(error) for error in errors) else "only Envoy"
        return verdict, words, errors
