# SPDX-License-Identifier: Apache-2.0
"""docs/guide/deploy.md: its commands, and what they print. `make mesh` runs them with a mesh."""

import os
import re
import shutil
import subprocess
import unittest

from support.both import inlay_only
from support.deploy import DeployCase, read
from support.processes import INLAY, ROOT


@inlay_only("a subcommand of Inlay's")
class Guide(DeployCase):
    """The commands of docs/guide/deploy.md, and the output that it shows for them."""

    def commands(self):
        found = []
        for line in read(ROOT, "docs", "guide", "deploy.md").splitlines():
            if line.startswith("    $ "):
                found.append((line[6:], []))
            elif line.startswith("    ") and found:
                found[-1][1].append(line[4:])
            elif line.strip():
                if found and found[-1] is not None:
                    found.append(("", []))
        return [(command, output) for command, output in found if command]

    def test_rendering_prints_what_the_guide_says(self):
        os.symlink(INLAY, os.path.join(self.directory, "build", "inlay"))
        ran = 0
        for command, output in self.commands():
            if not command.startswith(("build/inlay deploy render", "build/inlay deploy check")):
                continue
            ran += 1
            done = subprocess.run(command, shell=True, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=600)
            self.assertEqual(done.returncode, 0, done.stdout.decode())
            self.assertEqual(done.stdout.decode().splitlines(), output, command)
        self.assertEqual(ran, 6)

    def test_the_other_commands_are_ones_that_are_there(self):
        with open(os.path.join(ROOT, "Makefile")) as file:
            verbs = set(re.findall(r"^(\w+):", file.read(), re.M))
        for command, _ in self.commands():
            program = command.strip("(").split()
            if program[0] == "make":
                self.assertIn(program[1], verbs)
            elif program[0].startswith("build/inlay"):
                self.assertEqual(self.inlay(*program[1:2], "--help")[0], 0, command)
            elif program[0] == "cd":
                self.assertIn("inlay run -c envoy.yaml", command)
            else:
                self.assertIn(program[0], ("curl", "kubectl", "docker"), command)

    def test_the_applied_folders_are_those_that_were_rendered(self):
        folders = {word for command, _ in self.commands() if "deploy render" in command
                   for word in command.split() if word.startswith("build/deploy/")}
        for command, _ in self.commands():
            for word in command.split():
                if word.startswith("build/deploy/") and "render" not in command:
                    self.assertIn("/".join(word.split("/")[:3]), folders, command)

    @unittest.skipUnless(shutil.which("kubectl"), "there is no kubectl here")
    def test_kubectl_applies_in_the_order_that_the_guide_shows(self):
        for target in ("kubernetes", "istio"):
            folder = self.rendered(target)
            manifest = subprocess.run(["kubectl", "kustomize", folder], stdout=subprocess.PIPE, check=True).stdout.decode()
            kinds = [kind.lower() for kind in re.findall(r"^kind: (\w+)", manifest, re.M)]
            shown = [output for command, output in self.commands()
                     if command.startswith("kubectl apply") and command.endswith(target)][0]
            self.assertEqual([re.split(r"[./]", line)[0] for line in shown], kinds)


if __name__ == "__main__":
    unittest.main()
