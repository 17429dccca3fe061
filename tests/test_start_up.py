# SPDX-License-Identifier: Apache-2.0
"""Starting with a module that is compiled first: quick code, then optimised code, then both from the cache."""

import json
import os
import subprocess

from support.both import inlay_only
from support.config import bootstrap, cluster, wasm
from support.large_module import large_module
from support.processes import INLAY, PATIENCE, Program, TestCase, free_port
from support.wire import request


@inlay_only("how Inlay compiles and caches a module")
class StartUpTest(TestCase):
    def setUp(self):
        super().setUp()
        self.module = os.path.join(self.directory, "module.wasm")
        with open(self.module + ".wat", "w") as file:
            file.write(large_module(60))
        subprocess.run(["wat2wasm", self.module + ".wat", "-o", self.module], check=True)

    def run_inlay(self, name):
        """Starts with this test's own cache, and waits for the first answer."""
        routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
        config = bootstrap([cluster("origin", free_port())], [wasm(self.module)], routes)
        port = config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"]
        path = os.path.join(self.directory, name + ".json")
        with open(path, "w") as file:
            json.dump(config, file)
        program = self.start(Program(name, [INLAY, "run", "-c", path, "--concurrency", "2"], self.directory,
                                     {"XDG_CACHE_HOME": os.path.join(self.directory, "cache")}))
        program.wait_for(lambda: self.answers(port), "the first answer", 2 * PATIENCE)
        return program

    @staticmethod
    def answers(port):
        try:
            return request(port).status == 200
        except OSError:
            return False

    def artifacts(self):
        return sorted(os.listdir(os.path.join(self.directory, "cache", "inlay")))

    def test_a_cold_start_serves_quick_code_and_the_next_one_takes_what_was_made(self):
        cold = self.run_inlay("cold")
        self.assertIn("code made in haste", cold.log())
        cold.wait_for(lambda: "runs optimised code now" in cold.log(), "the optimised code", 10 * PATIENCE)
        # The log line is written before the quick artifact is taken away.
        cold.wait_for(lambda: len(self.artifacts()) == 1, "one artifact")
        cold.end()
        warm = self.run_inlay("warm")
        self.assertNotIn("made in haste", warm.log())
        self.assertNotIn("interpreter", warm.log())
        self.assertEqual(warm.end(), 0)

    def test_an_artifact_of_a_module_that_changed_is_not_used(self):
        first = self.run_inlay("first")
        first.end()
        before = self.artifacts()
        with open(self.module, "ab") as file:
            file.write(b"\x00\x05\x04note")  # a custom section
        second = self.run_inlay("second")
        self.assertIn("code made in haste", second.log())
        self.assertTrue(set(self.artifacts()) - set(before))
