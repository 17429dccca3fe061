# SPDX-License-Identifier: Apache-2.0
"""examples/audit, as its README runs it: an access logger, a service, and the queue between them."""

import os
import re
import unittest

from support.both import in_envoy_too
from support.processes import BUILD, ROOT, TestCase, free_port, listening
from support.wire import request


@in_envoy_too
class Audit(TestCase):
    def read(self, name):
        with open(os.path.join(ROOT, "examples", "audit", name)) as file:
            return file.read()

    def launch(self, text):
        """The example's proxy, with this bootstrap on free ports: (proxy, port, admin)."""
        port, admin = free_port(), free_port()
        text = text.replace("port_value: 8080", f"port_value: {port}").replace("port_value: 9901", f"port_value: {admin}")
        text = text.replace("build/audit.wasm", os.path.join(BUILD, "wasm", "audit.wasm"))
        path = os.path.join(self.directory, "envoy.yaml")
        with open(path, "w") as file:
            file.write(text)
        proxy = self.launch_proxy(path)
        proxy.wait_for(lambda: listening(port) and listening(admin), "its ports")
        return proxy, port, admin

    def test_as_the_readme_says(self):
        proxy, port, admin = self.launch(self.read("envoy.yaml"))
        for command in re.findall(r"^    \$ curl -s (.*)$", self.read("README.md"), re.M):
            if "8080" in command:
                request(port, command.rpartition("8080")[2], "POST" if "-d" in command else "GET", body=b"x" if "-d" in command else b"")
        expected = re.findall(r"^    (\[wasm\] .*)$", self.read("README.md"), re.M)
        self.assertEqual(len(expected), 2)
        proxy.wait_for(lambda: all(line in proxy.log() for line in expected), "the lines of the README")
        self.assertNotIn("/fine", proxy.log())
        stats = request(admin, "/stats?filter=audit").body.decode()
        for line in re.findall(r"^    (wasmcustom\..*)$", self.read("README.md"), re.M):
            self.assertIn(line + "\n", stats)

    def test_a_root_id_that_no_filter_has_is_told(self):
        text = self.read("envoy.yaml")
        self.assertIn("root_id: reporter\n", text)
        proxy, port, _ = self.launch(text.replace("root_id: reporter\n", "root_id: reportr\n"))
        said = 'this module has no filter for root_id "reportr"; what comes here passes as it is'
        proxy.wait_for(lambda: said in proxy.log(), "the error")
        self.assertEqual(request(port, "/fine").status, 200)


if __name__ == "__main__":
    unittest.main()
