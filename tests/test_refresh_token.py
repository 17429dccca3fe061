# SPDX-License-Identifier: Apache-2.0
"""Refresh tokens at an authorization server that gives another one each time, takes each once, and takes one that comes again for a theft."""

import unittest

from support import config
from support.both import in_envoy_too
from support.origins import PythonServer
from support.processes import TestCase, filter_module, wait_until
from support.sts import AuthorizationServer, Judge
from support.wire import request


@in_envoy_too
class RefreshToken(TestCase):
    def begin(self, lifetime):
        self.sts = AuthorizationServer(lifetime)
        self.addCleanup(self.sts.close)
        self.upstream = Judge(self.sts.issuer)
        self.addCleanup(self.upstream.close)
        self.first = self.sts.refresh_token
        self.file = PythonServer(lambda _: (200, {"content-type": "text/plain"}, self.first.encode()))  # as a file would give it
        self.addCleanup(self.file.close)

    def run_proxy(self):
        source = {"name": "robot", "cluster": "sts", "authority": "login.example.com", "path": "/token", "format": "oauth2",
                  "oauth2": {"grant_type": "refresh_token", "client_id": "gw", "client_secret": self.sts.secret, "refresh_token": "${source:file}"}}
        augmenter = config.wasm(filter_module(), {"sources": [{"name": "file", "cluster": "file", "format": "text", "refresh": {"every": "1s"}},
                                                              source]}, name="header_augmenting", vm_id="refresh")
        clusters = [config.cluster(name, server.port) for name, server in
                    (("origin", self.upstream), ("sts", self.sts), ("file", self.file))]
        self.proxy = self.start_proxy(config.bootstrap(clusters, [augmenter]), concurrency=2, level="trace")

    def status(self):
        return request(self.proxy.port, "/").status

    def assert_nothing_is_shown(self):
        text = self.proxy.log() + "".join(self.proxy.admin(page)[1] for page in ("/stats", "/stats/prometheus", "/clusters", "/server_info"))
        self.assertNotIn("s3cr3t", text)

    def test_each_is_used_once(self):
        self.begin(lifetime=2)
        self.run_proxy()
        wait_until(lambda: {self.status() for _ in range(8)} == {200}, "headers on both workers")
        while len(self.sts.spent) < 6:
            self.assertEqual(self.status(), 200)
        self.assertEqual(self.sts.reused, 0)
        self.assertEqual(self.sts.wrong, [])
        self.assertEqual([what for _, what in self.upstream.seen if what != "robot"], [])
        self.assert_nothing_is_shown()

    def test_a_restart_needs_another(self):
        self.begin(lifetime=600)
        self.run_proxy()
        wait_until(lambda: self.status() == 200, "headers")
        self.proxy.end()
        self.run_proxy()
        wait_until(lambda: "400 (invalid_grant)" in self.proxy.log(), "the first one is spent, and the new proxy knows no other")
        self.assertEqual(self.status(), 503)
        self.assertEqual(self.sts.reused, 1, "it is not asked for over and over")
        self.first = self.sts.begin_anew()
        wait_until(lambda: self.status() == 200, "another one in the file is taken at once")
        self.assert_nothing_is_shown()


if __name__ == "__main__":
    unittest.main()
