# SPDX-License-Identifier: Apache-2.0
"""scripts/check_includes and scripts/check_references see what they are there for: each in a small tree of its own."""

import os
import subprocess

from support.both import inlay_only
from support.processes import ROOT, TestCase

ROOMS = {
    "CMakeLists.txt": "inlay_room(base DEPS)\ninlay_room(abi DEPS)\ninlay_room(engine DEPS base)\n",
    "base/result.h": "#include <string>\n",
    "abi/types.h": "",
    "engine/engine.h": '#include "base/result.h"\n',
}
DOCUMENTS = {
    "Makefile": "build:\n",
    "scripts/build": "#!/bin/sh\n",
    "base/result.h": "// See docs/page.md.\nclass Result { int value(); };\n",
    "docs/page.md": "# A page\n\n[the same](#a-page), `base/result.h`, `make build`, `scripts/build`, `base::Result`, `value()`\n",
    "base/base.cc": "namespace base {}\n",
}


class LintCase(TestCase):
    SCRIPT = None
    TREE = None

    def check(self, changes=None, at_least=1):
        """(exit status, the lines but the last, which counts) of the tree with other or more files."""
        tree = os.path.join(self.directory, f"tree{len(os.listdir(self.directory))}")
        for name, text in {**self.TREE, **(changes or {})}.items():
            path = os.path.join(tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        subprocess.run(["git", "init", "-q", tree], check=True)
        done = subprocess.run([os.path.join(ROOT, "scripts", self.SCRIPT), "--tree", tree, "--at-least", str(at_least)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout.splitlines()[:-1]

    def finds(self, changes, *lines):
        self.assertEqual(self.check(changes), (1, list(lines)))


@inlay_only("a script of this tree")
class Includes(LintCase):
    SCRIPT = "check_includes"
    TREE = ROOMS

    def rooms(self, text):
        return ROOMS["CMakeLists.txt"] + text

    def test_a_good_tree(self):
        self.assertEqual(self.check(), (0, []))

    def test_what_is_not_declared(self):
        self.finds({"base/a.h": '  #  include "abi/types.h"\n'}, "base/a.h:1: abi/types.h is in the room abi, which base does not declare")

    def test_what_is_declared_for_nothing(self):
        self.finds({"CMakeLists.txt": self.rooms("inlay_room(host DEPS engine)\n"), "host/a.h": ""},
                   "CMakeLists.txt: host declares engine, and includes nothing of it")

    def test_what_leads_up_or_around(self):
        self.finds({"CMakeLists.txt": "inlay_room(base DEPS engine)\ninlay_room(engine DEPS base)\n", "base/a.h": '#include "engine/engine.h"\n',
                    "abi/types.h": "", "engine/testdata/a.cc": ""},
                   "CMakeLists.txt: base declares engine, which is not on a lower floor",
                   "abi/types.h: it is in no room; WITHOUT_ROOM in scripts/check_includes names the folders of which that is true")
        self.finds({"CMakeLists.txt": self.rooms("inlay_room(sdk DEPS engine)\n"), "sdk/a.h": '#include "engine/engine.h"\n'},
                   "CMakeLists.txt: sdk declares engine, which is not on a lower floor")

    def test_what_only_tests_may_include(self):
        room = {"CMakeLists.txt": self.rooms("inlay_room(host DEPS engine TEST_DEPS testkit LIBS z)\ninlay_room(testkit DEPS host)\n"),
                "host/a.h": '#include "engine/engine.h"\n', "testkit/a.h": '#include "host/a.h"\n'}
        own = '#include "testkit/a.h"\n'
        self.assertEqual(self.check({**room, "host/a_test.cc": own, "host/a_fixture.h": own, "host/a_fuzz.cc": own}), (0, []))
        self.finds({**room, "host/a_test.cc": own, "host/a.cc": own}, "host/a.cc:1: testkit/a.h is in the room testkit, which host does not declare")
        self.finds(room, "CMakeLists.txt: host declares testkit, and includes nothing of it")
        self.finds({**room, "CMakeLists.txt": self.rooms("inlay_room(host DEPS engine TEST_DEPS kit)\n"), "testkit/a.h": "", "host/a_test.cc": ""},
                   "CMakeLists.txt: host declares kit for its tests, which is no room",
                   "testkit/a.h: it is in no room; WITHOUT_ROOM in scripts/check_includes names the folders of which that is true",
                   "CMakeLists.txt: host declares kit, and includes nothing of it")
        self.finds({**room, "CMakeLists.txt": self.rooms("inlay_room(host DEPS engine testkit)\ninlay_room(testkit DEPS host)\n")},
                   "CMakeLists.txt: host declares testkit, which is not on a lower floor",
                   "CMakeLists.txt: host declares testkit, and includes nothing of it")

    def test_a_room_on_no_floor(self):
        self.finds({"CMakeLists.txt": self.rooms("inlay_room(cellar DEPS base)\n"), "cellar/a.h": '#include "base/result.h"\n'},
                   "CMakeLists.txt: cellar is on no floor: FLOORS in scripts/check_includes has to name it")

    def test_forms(self):
        self.finds({"engine/a.h": '#include <base/result.h>\n#include "result.h"\n#include "string"\n#include <string>\n'},
                   "engine/a.h:1: <base/result.h> is the tree's own: it is included in quotes",
                   'engine/a.h:2: there is no "result.h" below the root of the tree; what is not ours is included in <>',
                   'engine/a.h:3: there is no "string" below the root of the tree; what is not ours is included in <>')

    def test_a_library_of_one_room(self):
        room = {"CMakeLists.txt": self.rooms("inlay_room(compiler DEPS engine)\n"), "compiler/a.h": '#include <wabt/ir.h>\n#include "engine/engine.h"\n'}
        self.assertEqual(self.check(room), (0, []))
        self.finds({**room, "engine/a_test.cc": "#include <wabt/ir.h>\n"},
                   "engine/a_test.cc:1: <wabt/ir.h>: only the room compiler includes what is of that library")

    def test_a_folder_without_a_room(self):
        own = {"examples/own_filter/a.cc": '#include "b.h"\n#include "base/result.h"\n', "examples/own_filter/b.h": ""}
        self.assertEqual(self.check(own), (0, []))
        self.finds({**own, "examples/own_filter/b.h": '#include "engine/engine.h"\n'},
                   "examples/own_filter/b.h:1: engine/engine.h is in the room engine, which examples/own_filter does not declare")

    def test_looking_at_nothing(self):
        self.assertEqual(self.check(at_least=2), (1, ["only 1 includes of the tree's own files were seen, and not 2"]))


@inlay_only("a script of this tree")
class References(LintCase):
    SCRIPT = "check_references"
    TREE = DOCUMENTS

    def test_a_good_tree(self):
        self.assertEqual(self.check(), (0, []))

    def test_files_in_comments(self):
        self.finds({"base/a.cc": "int a;  // see b.cc and base/result.h\n//     an example: c.cc\n", "base/a.py": '"""Of\nd.py."""\n',
                    "cmake/A.cmake": "# cmake/B.cmake\n", "x/config.yaml": "a: b  # scripts/none\n", "scripts/build": "#!/bin/sh\n# e.md\n"},
                   "base/a.cc:1: there is no b.cc", "base/a.py:2: there is no d.py", "cmake/A.cmake:1: there is no cmake/B.cmake",
                   "scripts/build:2: there is no e.md", "x/config.yaml:1: there is no scripts/none")

    def test_names_in_comments(self):
        self.finds({"base/a.cc": "// base::Result, base::Nothing, value(), none() and std::string\n"},
                   "base/a.cc:1: there is no base::Nothing", "base/a.cc:1: there is no none")

    def test_documents(self):
        self.finds({"docs/a.md": "[a](page.md) [b](page.md#a-page) [c](none.md) [d](page.md#none) [e](https://example.com/x.md)\n\n"
                                 "`make nothing` `base/none.h` `base/` `gone.h` `other/none.h` `Result::gone`\n\n```\n`base/none.h`\n```\n"},
                   "docs/a.md:1: there is no none.md", "docs/a.md:1: there is no heading #none in docs/page.md",
                   "docs/a.md:3: there is no `make nothing`", "docs/a.md:3: there is no base/none.h", "docs/a.md:3: there is no gone.h",
                   "docs/a.md:3: there is no other/none.h", "docs/a.md:3: there is no Result::gone")

    def test_looking_at_nothing(self):
        status, lines = self.check(at_least=100)
        self.assertEqual(status, 1)
        self.assertRegex(lines[0], "^only [0-9]+ mentions were seen, and not 100$")
