# SPDX-License-Identifier: Apache-2.0
"""`inlay completion`: what shells offer is what `inlay --help` names, and `inlay version --json` has the keys that its guide says."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from support.both import inlay_only
from support.processes import INLAY, ROOT

OPTION = re.compile(r"^  (-[^\s]+)", re.M)


def output(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL, **more).stdout


def subcommands(*path):
    """Those that --help lists."""
    text = output(INLAY, *path, "--help").partition("\nSubcommands:\n")[2]
    return re.findall(r"^  (\w+)", text, re.M)


def options(*path):
    """What --help has of options, by their names."""
    found = set()
    for names in OPTION.findall(output(INLAY, *path, "--help")):
        found |= {re.sub(r"\{.*\}", "", name) for name in names.split(",")}
    return found


def paths():
    for name in subcommands():
        below = subcommands(name)
        yield from [(name, one) for one in below] or [(name,)]


@inlay_only("its command line")
class Completion(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.directory = folder.name

    def completion(self, shell):
        path = os.path.join(self.directory, shell)
        with open(path, "w") as file:
            file.write(output(INLAY, "completion", shell))
        return path

    def offered(self, *words):
        """What bash offers for a line of these words, the last of which is under way."""
        script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _inlay; printf "%s\\n" "${COMPREPLY[@]}"'
        return set(output("bash", "-c", script, "bash", self.completion("bash"), "inlay", *words, cwd=self.directory).split("\n")) - {""}

    def test_bash_offers_what_help_names(self):
        self.assertEqual(self.offered(""), set(subcommands()))
        self.assertEqual(self.offered("-"), options())
        self.assertIn(("deploy", "render"), set(paths()))
        for path in paths():
            with self.subTest(path=path):
                self.assertEqual(self.offered(*path, "-"), options(*path))

    def test_bash_offers_values_and_files(self):
        open(os.path.join(self.directory, "a file.case"), "w").close()
        for words, expected in (
                (("run", "--engine", ""), {"auto", "aot", "interp"}),
                (("run", "--engine", "=", "a"), {"auto", "aot"}),       # as bash parts --engine=a
                (("run", "--engine", "="), {"auto", "aot", "interp"}),
                (("run", "-c", "a"), {"a file.case"}),
                (("run", "-c", "x.yaml", "--guest-call-ms", ""), set()),
                (("run", "--mode", "validate", "--haz"), {"--hazards"}),
                (("test", "a"), {"a file.case"}),
                (("test", "run", "--world", "s"), {"sockets"}),         # `run` is a file's name here
                (("deploy", ""), {"check", "render"}),
                (("deploy", "render", "k"), {"kubernetes"}),
                (("completion", ""), {"bash", "zsh", "fish"}),
                (("reference", ""), set(subcommands()))):               # not in --help, so not offered, nor known
            with self.subTest(words=words):
                self.assertEqual(self.offered(*words), expected)

    def test_zsh_takes_it(self):
        if not shutil.which("zsh"):
            self.skipTest("zsh is not installed")
        path = self.completion("zsh")
        output("zsh", "-f", "-n", path)
        script = 'autoload -Uz compinit; compinit -u -D; source "$1"; print -l ${(k)functions[(I)_inlay*]} $_comps[inlay]'
        names = set(output("zsh", "-f", "-c", script, "zsh", path).split())
        self.assertEqual(names, {"_inlay", "_inlay_deploy"} | {"_inlay_" + "_".join(one) for one in paths()})

    def test_fish_offers_what_help_names(self):
        if not shutil.which("fish"):
            self.skipTest("fish is not installed")
        path = self.completion("fish")
        for line, expected in (("inlay ", set(subcommands())), ("inlay run --engine ", {"auto", "aot", "interp"}),
                               ("inlay deploy ", {"check", "render"}),
                               ("inlay version --", {name for name in options("version") if name.startswith("--")})):
            found = output("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", path, line, cwd=self.directory)
            self.assertEqual({one.split("\t")[0] for one in found.splitlines()}, expected, line)

    def test_another_shell_is_refused(self):
        done = subprocess.run([INLAY, "completion", "tcsh"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("{bash,zsh,fish}", done.stderr)

    def test_the_manual_page_has_every_option(self):
        page = output(INLAY, "reference", "--manual").replace("\\-", "-")
        for path in paths():
            section = page.partition(f'.SS "inlay {" ".join(path)}"\n')[2].partition("\n.SS ")[0]
            for name in options(*path) - {"-h", "--help"}:
                self.assertRegex(section, rf"(?m)^\\fB(.*, )?{name}(,.*)?\\fR", path)


@inlay_only("its version")
class Version(unittest.TestCase):
    def test_the_keys_are_those_of_the_guide(self):
        version = json.loads(output(INLAY, "version", "--json"))
        with open(os.path.join(ROOT, "docs", "guide", "install.md")) as file:
            documented = re.findall(r"^\| `(\w+)` \|", file.read().partition("\n## Which one it is\n")[2], re.M)
        self.assertEqual(list(version), documented)
        self.assertEqual(output(INLAY, "version"), f"inlay {version['version']}\n")
        self.assertRegex(version["commit"] or "0" * 40, "^[0-9a-f]{40}$")
        self.assertEqual(version["platform"], f"linux-{os.uname().machine}")
        self.assertEqual(version["abi"], ["0.1.0", "0.2.0", "0.2.1"])
        for key in ("wabt", "openssl", "glibc"):
            self.assertRegex(version[key], r"^\d+(\.\d+)+", key)
