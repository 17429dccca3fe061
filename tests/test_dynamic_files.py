# SPDX-License-Identifier: Apache-2.0
"""Listeners and clusters from files of their own (LDS and CDS by path_config_source), which change while the proxy runs."""

import json
import os
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.origins import PythonServer
from support.processes import TestCase, listening, wait_until
from support.wire import Wire, request

GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
LISTENER, CLUSTER = config.TYPE + "envoy.config.listener.v3.Listener", config.TYPE + "envoy.config.cluster.v3.Cluster"


def answers(text):
    return {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": text}}}


class DynamicFiles(TestCase):
    def setUp(self):
        super().setUp()
        self.made = config.bootstrap([])
        self.made["node"] = {"id": "a", "cluster": "b"}
        self.listener = self.made["static_resources"].pop("listeners")[0]
        self.port = self.listener["address"]["socket_address"]["port_value"]
        self.made["static_resources"]["listeners"] = []
        self.made["dynamic_resources"] = {"lds_config": {"path_config_source": {"path": self.file("lds.json")}},
                                          "cds_config": {"path_config_source": {"path": self.file("cds.json")}}}

    def file(self, name):
        return os.path.join(self.directory, name)

    def put(self, name, kind, *resources):
        """As kubelet does it, and as Envoy wants it: renamed."""
        with open(self.file(name + ".new"), "w") as file:
            json.dump({"resources": [{"@type": kind, **resource} for resource in resources]}, file)
        os.rename(self.file(name + ".new"), self.file(name))

    def put_listener(self, *routes):
        hosts = [{"name": "all", "domains": ["*"], "routes": list(routes)}]
        self.listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"] = hosts
        self.put("lds.json", LISTENER, self.listener)

    def start_it(self):
        self.proxy = self.start_proxy(self.made, concurrency=2)
        wait_until(lambda: listening(self.port), "the listener")

    def await_body(self, text):
        def is_it():
            try:
                return request(self.port).body == text.encode()
            except OSError:
                return False
        self.proxy.wait_for(is_it, f"the answer {text}")

    def origin(self, text):
        server = PythonServer(lambda handler: (200, {}, text.encode()))
        self.addCleanup(server.close)
        return server


@in_envoy_too
class Changes(DynamicFiles):
    def test_a_listener_changes(self):
        self.put("cds.json", CLUSTER)
        self.put_listener(answers("one"))
        self.start_it()
        self.await_body("one")
        with Wire(self.port) as wire:
            wire.send(GET)
            self.assertEqual(wire.response().body, b"one")
            self.put_listener(answers("two"))
            self.await_body("two")
            wire.send(GET)  # the connection is served to its end
            self.assertEqual(wire.response().body, b"one")

    def test_a_cluster_changes(self):
        first, second = self.origin("first"), self.origin("second")
        self.put("cds.json", CLUSTER, config.cluster("origin", first.port))
        self.put_listener(config.route("origin"))
        self.start_it()
        self.await_body("first")
        self.put("cds.json", CLUSTER, config.cluster("origin", second.port))
        self.await_body("second")

    def test_what_is_wrong_is_refused(self):
        self.put("cds.json", CLUSTER)
        self.put_listener(answers("one"))
        self.start_it()
        self.await_body("one")
        self.put_listener({"match": {"prefix": "/"}, "direct_response": {"status": 9000}})
        self.proxy.wait_for(lambda: self.either(".direct_response.status: must be from 200 to 599, is 9000", "DirectResponse",
                                                "each has its words") in self.proxy.log(), "the refusal")
        self.await_body("one")
        self.put_listener(answers("two"))
        self.await_body("two")

    def test_a_listener_goes(self):
        self.put("cds.json", CLUSTER)
        self.put_listener(answers("one"))
        self.start_it()
        self.await_body("one")
        self.put("lds.json", LISTENER)
        wait_until(lambda: not listening(self.port), "the listener to close")


@inlay_only("an Envoy starts without what is wrong, or waits")
class Start(DynamicFiles):
    def test_what_is_wrong_ends_it(self):
        self.put("cds.json", CLUSTER)
        self.put_listener({"match": {"prefix": "/"}, "direct_response": {"status": 9000}})
        proxy = self.launch_proxy(self.made)
        self.assertEqual(proxy.wait(), 1)
        self.assertIn("lds.json:1:", proxy.log())
        self.assertIn("resources[0].filter_chains[0]", proxy.log())


if __name__ == "__main__":
    unittest.main()
