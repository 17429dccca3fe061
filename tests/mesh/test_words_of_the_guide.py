# SPDX-License-Identifier: Apache-2.0
"""docs/guide/deploy.md: its commands, run in their order where they can be, and its words, each of which something has printed in this run.
The last module, by its name, so that all others have run."""

import glob
import os
import re
import shutil
import subprocess

from mesh import world
from mesh.world import MeshCase, service, with_pod
from support.envoy import needs_envoy
from support.processes import INLAY, ROOT, filter_module, listening, wait_until

GUIDE = os.path.join(ROOT, "docs", "guide", "deploy.md")
# Commands that are not run here, by what they begin with.
NOT_RUN = {"make build": "this is built", "make deploy": "tests/test_deploy_values.py runs it", "docker compose": "there is no Docker",
           "kubectl": "there is no cluster; below istiod takes what they would apply"}
# In the tables of what goes wrong, what nobody prints: words of a configuration, and commands of a cluster.
NOT_PRINTED = {"FAIL_CLOSED", "FAIL_OPEN", "failure_policy", "failure_policy: FAIL_RELOAD", "pull_secret", "istio.egress", "traffic.destinations", "http",
               "appProtocol: http", "per_connection_buffer_limit_bytes", "kubernetes", "ALLOW_ANY", "REGISTRY_ONLY", "FAIL_RELOAD",
               "%RESPONSE_CODE_DETAILS%", "istioctl proxy-status", "istioctl proxy-config routes"}


def text_of_the_guide():
    with open(GUIDE) as file:
        return file.read()


def commands():
    """(command, the lines that the guide shows for it), in their order."""
    found, shown = [], None
    for line in text_of_the_guide().splitlines():
        if line.startswith("    $ "):
            shown = []
            found.append((line[6:], shown))
        elif line.startswith("    ") and shown is not None:
            shown.append(line[4:])
        else:
            shown = None
    return found


def as_pattern(line):
    """`...` stands for anything, and so does the end of a token, which is made anew each time."""
    pattern = re.escape(line).replace(r"\.\.\.", ".*")
    return re.sub(r"(Bearer\\ 1\\\.)[0-9a-f]+", r"\1[0-9a-f]+", pattern)


class Commands(MeshCase):
    def setUp(self):
        super().setUp()
        for name in ("build", "deploy"):
            os.makedirs(os.path.join(self.directory, name), exist_ok=True)
        os.symlink(INLAY, os.path.join(self.directory, "build", "inlay"))
        shutil.copy(filter_module(), os.path.join(self.directory, "build", "header_augmenting.wasm"))
        shutil.copy(os.path.join(ROOT, "deploy", "values.yaml"), os.path.join(self.directory, "deploy"))

    def run_command(self, command, shown):
        """In a shell, as the reader does; what goes to the background is waited for."""
        if command.endswith("&"):
            name = re.search(r"inlay (\w+)", command)[1]
            port = {"echo": 8081, "provider": 8082, "run": 8080}[name]
            # As the shell's own process, so that it ends with the test.
            in_place = re.sub(r"(\S*inlay )", r"exec \1", command.strip("()& "))
            self.start_program(name, ["bash", "-c", in_place], port)
            return
        said = []

        def as_shown():
            done = subprocess.run(command, shell=True, cwd=self.directory, capture_output=True, text=True, timeout=600, check=False)
            said[:] = (done.stdout + done.stderr).splitlines()
            return done.returncode == 0 and len(said) == len(shown) and all(re.fullmatch(as_pattern(a), b) for a, b in zip(shown, said))
        # A token has to be fetched before the first request gets it.
        try:
            wait_until(as_shown, command, 30 if command.startswith("curl") else 0)
        except AssertionError:
            self.assertEqual(said, shown, command)

    def test_each_is_run_or_says_why_not(self):
        ran = 0
        for command, shown in commands():
            reason = next((why for begin, why in NOT_RUN.items() if command.startswith(begin)), None)
            if reason is None and not (command.startswith("curl") and command.endswith("Authorization")):  # which is Compose's
                ran += 1
                with self.subTest(command):
                    self.run_command(command, shown)
        self.assertEqual(ran, 11)

    @needs_envoy()
    def test_what_kubectl_applies_gives_the_workload_its_header(self):
        """The two folders that the guide renders, with what its provider answers."""
        for command, shown in commands():
            if re.search(r"render (kubernetes|istio) ", command):
                self.run_command(command, shown)
        self.rendered_files = [path for path in glob.glob(os.path.join(self.directory, "build", "deploy", "*", "*.yaml"))
                               if not path.endswith("kustomization.yaml")]
        self.assertEqual(len(self.rendered_files), 5)
        with open(os.path.join(ROOT, "deploy", "values.yaml")) as file:
            answer = re.search(r"-text=(\{.*?\})'", file.read())[1]
        self.origin(8082, lambda _: answer.encode())
        self.origin(8081)
        payments = service("payments", 8081, port_name="", address="10.96.0.10")  # as `kubectl expose` makes it
        self.start_mesh(with_pod(payments, "10.1.0.6"))
        got = self.until_augmented("10.96.0.10", 8081, "payments.shop.svc.cluster.local:8081").authorization
        self.assertEqual(next(shown for command, shown in commands() if "logs deployment/orders" in command), [f"Authorization: {got}"])

    def test_the_size_of_the_filter(self):
        size = os.path.getsize(filter_module())
        self.assertEqual(re.search(r"the filter has (\d+) KB", text_of_the_guide())[1], str(round(size / 1000)))


class Words(MeshCase):
    def test_each_of_the_tables_has_been_printed(self):
        """What stands in backquotes in the tables of what goes wrong."""
        if world.partial:
            self.skipTest("only a part of the cases has run")
        section = text_of_the_guide().split("## When requests come back with an error\n")[1].split("\n## ")[0]
        quoted = {text.replace("\\|", "|") for line in section.splitlines() if line.startswith("|")
                  for text in re.findall(r"`([^`]+)`", line)}
        said = "\n".join(world.said)
        missing = []
        for text in quoted - NOT_PRINTED:
            if text.startswith(("kubectl", "istioctl")):
                continue
            pattern = re.sub(r"X$", r"\\S+", re.escape(text))  # X is a cluster's name
            if not re.search(rf"(?<![\w]){pattern}(?![\w])", said):
                missing.append(text)
        self.assertEqual(missing, [], "the guide quotes these, and nothing has printed them")
        self.assertGreater(len(quoted), 20)
