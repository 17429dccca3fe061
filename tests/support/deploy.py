# SPDX-License-Identifier: Apache-2.0
"""Tests of `inlay deploy`: a folder with the module and the values file that ships."""

import os
import shutil
import subprocess

from .processes import INLAY, ROOT, TestCase, filter_module, listening
from .wire import request

TARGETS = ("envoy", "compose", "kubernetes", "istio")
EXAMPLES = os.path.join(ROOT, "deploy")


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


class DeployCase(TestCase):
    def setUp(self):
        super().setUp()
        os.makedirs(os.path.join(self.directory, "build"))
        shutil.copy(filter_module(), os.path.join(self.directory, "build", "header_augmenting.wasm"))
        os.makedirs(os.path.join(self.directory, "deploy"))
        self.write("deploy/values.yaml", read(EXAMPLES, "values.yaml"))

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as file:
            file.write(text)

    def inlay(self, *arguments, **options):
        done = subprocess.run([INLAY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                              cwd=options.get("cwd", self.directory), stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def render(self, target, *flags, values="deploy/values.yaml", folder=None):
        return self.inlay("deploy", "render", target, "-f", values, "-o", folder or target, *flags)

    def rendered(self, target, **options):
        status, out, err = self.render(target, **options)
        self.assertEqual(status, 0, out + err)
        return os.path.join(self.directory, options.get("folder") or target)

    def start_rendered(self, environment=None, status=200):
        return self.start_bootstrap(self.rendered("envoy"), environment, status)

    def start_bootstrap(self, folder, environment=None, status=200):
        """A proxy that runs the folder's envoy.yaml and answers with `status`."""
        proxy = self.launch_proxy("envoy.yaml", cwd=folder, concurrency=2, environment=environment)
        proxy.wait_for(lambda: listening(self.admin) and request(self.admin, "/ready").status == 200, "/ready")
        proxy.wait_for(lambda: request(self.port).status == status, f"status {status}")
        return proxy
