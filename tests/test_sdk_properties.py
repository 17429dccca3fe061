# SPDX-License-Identifier: Apache-2.0
"""The SDK's named properties are those that the host has, of the type that it gives them."""

import os
import re
import unittest

from support.both import inlay_only
from support.processes import ROOT

KINDS = {"Bytes": {"string"}, "int64_t": {"int"}, "bool": {"bool"}, "nanoseconds": {"time", "duration"}}


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


@inlay_only("compares a header with a page")
class Properties(unittest.TestCase):
    def test_each_is_in_the_hosts_reference(self):
        """docs/reference/properties.md is made from the host's tables."""
        host = dict(re.findall(r"^\| `([\w.]+)` \| (\w+) \|", read("docs", "reference", "properties.md"), re.M))
        host.update({"plugin_name": "string", "plugin_root_id": "string", "plugin_vm_id": "string"})
        named = re.findall(r'Property<(\w+)> (\w+)\("([^"]+)"', read("sdk", "properties.h"))
        self.assertGreater(len(named), 40)
        for kind, name, path in named:
            path = path.replace("\\0", ".")
            with self.subTest(name):
                self.assertIn(host.get(path), KINDS[kind], path)
                self.assertEqual(name.replace("_", ""), re.sub(r"^xds|[._]", "", path))


if __name__ == "__main__":
    unittest.main()
