# SPDX-License-Identifier: Apache-2.0
"""An Envoy whose listener, with Inlay as a dynamic module in its chain, comes anew and anew by a file (LDS), and what its process keeps."""

import json
import os

from . import config
from .dynamic_module import without_v8
from .envoy import Envoy
from .processes import wait_until
from .wire import request

FEW = 8


class Reloads:
    """`chain(number)`: the filters of the number-th configuration, whose answer to / is that number."""

    def __init__(self, directory, clusters, chain, drain_seconds=1):
        self.path = os.path.join(directory, "listeners.json")
        self.chain = chain
        answers = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "0"}}}]
        bootstrap = config.bootstrap(clusters, chain(0), answers)
        self.first = bootstrap["static_resources"].pop("listeners")[0]
        bootstrap["static_resources"]["listeners"] = []
        bootstrap["node"] = {"id": "node", "cluster": "nodes"}
        bootstrap["dynamic_resources"] = {"lds_config": {"path_config_source": {"path": self.path}}}
        self.port = self.first["address"]["socket_address"]["port_value"]
        self.put(0)
        self.envoy = Envoy(directory, bootstrap, concurrency=2, level="error", flags=["--drain-time-s", str(drain_seconds)])
        self.wait_for(0)

    def put(self, number):
        listener = json.loads(json.dumps(self.first).replace('"inline_string": "0"', f'"inline_string": "{number}"'))
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        manager["http_filters"][:-1] = self.chain(number)
        with open(self.path + ".new", "w") as file:
            json.dump({"resources": [{"@type": config.TYPE + "envoy.config.listener.v3.Listener", **without_v8(listener)}]}, file)
        os.replace(self.path + ".new", self.path)

    def answers(self, number):
        try:
            return request(self.port).body.decode() == str(number)
        except OSError:
            return False

    def wait_for(self, number):
        wait_until(lambda: self.answers(number), f"configuration {number}")

    def drained(self):
        return self.envoy.stats()["listener_manager.total_filter_chains_draining"] == 0

    def figures(self):
        return figures_of(self.envoy.pid)


def figures_of(pid):
    """KiB that are resident, threads, descriptors, mappings of a process."""
    proc = f"/proc/{pid}"
    with open(f"{proc}/status") as file:
        status = dict(line.split(":", 1) for line in file)
    with open(f"{proc}/maps") as file:
        maps = len(file.readlines())
    return [int(status["VmRSS"].split()[0]), int(status["Threads"]), len(os.listdir(f"{proc}/fd")), maps]


def grown(first, last, kib):
    """Whether the second of two figures is more than the first, but for a few, and so many KiB."""
    return last[0] - first[0] > kib or any(now - before > FEW for before, now in zip(first[1:], last[1:]))
