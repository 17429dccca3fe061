# SPDX-License-Identifier: Apache-2.0
"""A bad configuration of the filter is refused before it is deployed, with all that is wrong in one pass."""

import json
import os
import subprocess
import unittest

from support import config, envoy
from support.both import in_envoy_too
from support.processes import INLAY, TestCase, filter_module

BAD = {
    "sources": [
        {"nme": "idp", "cluster": "idp", "path": "/token", "timeout": 5, "format": "oauth2",
         "oauth2": {"client_id": "id", "client_secret": "${env:NOT_SET}"}},
        {"name": "keys", "refresh": {"evry": "1s"}, "request_headers": {"x-key": "s3cr3t\n"}},
    ],
    "rules": [{"use": ["kyes"]}],
    "max_body": 0,
}
ERRORS = [
    'sources[0].nme: found an unknown key, expected "name"?',
    'sources[0].timeout: found a number "5", expected a duration such as "250ms", "10s", "5m", "1h30m" or "1d"',
    "sources[0].oauth2.client_secret: found ${env:NOT_SET}, which is not set, expected a variable of the VM's environment "
    "(vm_config.environment_variables)",
    'sources[1].refresh.evry: found an unknown key, expected "every"?',
    "sources[1].request_headers.x-key: found a control character, expected none in a header's value",
    'max_body: found a number "0", expected a number of bytes from 1 to 16777216',
    'rules[0].use[0]: found the name of no source, expected "keys"?',
]


@in_envoy_too
class FilterConfiguration(TestCase):
    def bootstrap(self, configuration):
        augmenter = config.wasm(filter_module(), configuration, name="header_augmenting")
        return config.bootstrap([config.cluster("origin", 1)], [augmenter])

    def validate(self, configuration):
        """(exit status, all output) of a validation of a bootstrap whose filter has this configuration."""
        path = os.path.join(self.directory, "bootstrap.json")
        with open(path, "w") as file:
            json.dump(self.bootstrap(configuration), file)
        if self.in_envoy:
            return envoy.validate(path)
        done = subprocess.run([INLAY, "validate", "-c", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=600, cwd=self.directory, check=False)
        return done.returncode, done.stdout.decode()

    def errors_of(self, output):
        """What the filter has logged, in order. Why the plugin does not start repeats its last line."""
        lines = [line for line in output.splitlines() if "the last line that it logged" not in line]
        return [line.partition("configuration: ")[2] for line in lines if "configuration: " in line]

    def test_validate_says_every_error_in_one_pass(self):
        status, output = self.validate(BAD)
        self.assertEqual(status, 1, output)
        self.assertEqual(self.errors_of(output), ERRORS)
        self.assertNotIn("s3cr3t", output)
        self.assertNotIn(self.either("valid\n", "OK\n", why="other words"), output)

    def test_run_refuses_it_the_same_way(self):
        proxy = self.launch_proxy(self.bootstrap(BAD))
        self.assertNotEqual(proxy.wait(), 0)
        self.assertEqual(self.errors_of(proxy.log()), ERRORS)

    def test_validate_says_where_the_json_breaks_off(self):
        status, output = self.validate('{\n  "sources": [\n    {"name": "a",}\n  ]\n}')
        self.assertEqual(status, 1, output)
        self.assertEqual(self.errors_of(output), ["found no valid JSON (line 3, column 18), expected a JSON object"])

    def test_validate_takes_a_good_one(self):
        status, output = self.validate({"sources": [{"name": "keys"}], "rules": [{"use": ["keys"]}]})
        self.assertEqual((status, self.errors_of(output)), (0, []), output)
        self.assertIn(self.either("bootstrap.json: valid\n", "bootstrap.json' OK\n", why="other words"), output)


if __name__ == "__main__":
    unittest.main()
