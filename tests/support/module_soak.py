# SPDX-License-Identifier: Apache-2.0
"""Inlay as a dynamic module of Envoy under what a long life brings: configurations that come anew each second, clients that leave,
call-outs that fail, traps. What is sent is counted here, by a guest and by Envoy: the counts have to be one."""

import collections
import threading
import time

from . import config, guests
from .dynamic_module import loads
from .envoy import Envoy
from .module_reloads import Reloads, figures_of
from .processes import filter_module, free_port, listening, wait_until
from .wire import Wire, request

PUPPET = "puppet_0_2_1.wasm"
CLIENTS = 4
REQUESTED = "dynamicmodulescustom.soak_requests"

# What a request comes to by its path. Each adds 1 to the guest's counter, which is the first of its metrics and so number 4.
SCRIPT = """\
on configure: metric counter soak_requests; tick 50
on tick: data_set k v
on request_headers path=/reply: increment 4 1; reply 403 "no"
on request_headers path=/hold: increment 4 1; return pause
on request_headers: increment 4 1; set req x-a 1
on request_body more: return 1
"""


def calling(directory):
    """A guest that holds each request until a call to the cluster `down` has ended, however it ends."""
    return guests.assemble(directory, "calling", guests.guest(r"""
  (data (i32.const 1024) "down")
  (data (i32.const 2048) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\01\00\00\00\0a\00\00\00\01\00\00\00")
  (data (i32.const 2076) ":method\00GET\00:path\00/\00:authority\00a\00")
  ;; which stream has asked for the call of that token
  (func $place (param i32) (result i32) (i32.add (i32.const 8192) (i32.and (local.get 0) (i32.const 16380))))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (call $http_call (i32.const 1024) (i32.const 4) (i32.const 2048) (i32.const 61) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 5000) (i32.const 16)) (then (return (i32.const 0))))
    (i32.store (call $place (i32.load (i32.const 16))) (local.get 0))
    (i32.const 1))
  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
    (if (i32.eqz (call $set_effective_context (i32.load (call $place (local.get 1)))))
      (then (drop (call $continue_stream (i32.const 0))))))
""", guests.import_proxy("http_call", 10) + guests.import_proxy("set_effective_context", 1) + guests.import_proxy("continue_stream", 1)))


class ModuleSoak:
    """`wrong` has what was not as it must be; `counts` requests by kind; `figures` of Envoy's process, by time."""

    def __init__(self, directory):
        self.counts = collections.Counter()
        self.wrong = []
        self.figures = []
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.reloads = 0
        self.stray = 0
        module = filter_module(PUPPET)
        calls = calling(directory)

        # Nine of ten replace a plugin in VMs that stay; the tenth has VMs of its own.
        def chain(number):
            return [loads(directory, module, name="soak", vm_id=f"soak{number // 10}", configuration=f"{SCRIPT}# {number}\n", failure_policy="FAIL_RELOAD",
                          reload_backoff_ms=1),
                    loads(directory, calls, name="calls", configuration=str(number)),
                    loads(directory, module, name="beside", vm_id=f"soak{number // 10}", configuration=f"on log: get req :path\n# {number // 2}\n")]
        self.envoy_of = Reloads(directory, [config.cluster("down", free_port())], chain)
        self.envoy = self.envoy_of.envoy

    def count(self, kind):
        with self.lock:
            self.counts[kind] += 1

    def expect(self, kind, path, status, method="GET", **more):
        self.count(kind)
        try:
            got = request(self.envoy_of.port, path, method, **more).status
        except OSError as error:
            got = repr(error)
        except EOFError as error:
            got = repr(error)
        if got != status:
            self.wrong.append(f"{method} {path}: {got}, not {status}")

    def leave(self, number):
        """Goes away while the guest holds the request, or in the middle of its body."""
        self.count("left")
        with Wire(self.envoy_of.port) as wire:
            if number % 2:
                wire.send("GET /hold HTTP/1.1\r\nhost: a\r\n\r\n")
            else:
                wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
            time.sleep(0.002 * (number % 5))

    def client(self):
        number = 0
        while not self.stopped.is_set():
            number += 1
            self.expect("behind a call that fails", "/", 200)
            self.expect("answered by the guest", "/reply", 403)
            self.expect("with a body", "/", 200, "POST", body=b"x" * (number % 3000))
            self.leave(number)

    def run(self, seconds, every):
        clients = [threading.Thread(target=self.client) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        end = time.monotonic() + seconds
        told = time.monotonic()
        while time.monotonic() < end and self.envoy.running():
            begun = time.monotonic()
            self.reloads += 1
            self.envoy_of.put(self.reloads)
            if begun - told >= every:
                told = begun
                self.figures.append(self.envoy_of.figures())
            time.sleep(max(0.0, begun + 1 - time.monotonic()))
        self.stopped.set()
        for client in clients:
            client.join()
        self.judge()

    def judge(self):
        if not self.envoy.running():
            self.wrong.append("Envoy has ended")
            return
        self.envoy_of.wait_for(self.reloads)
        wait_until(self.envoy_of.drained, "the end of the old configurations")
        self.figures.append(self.envoy_of.figures())
        # Those that wait_for() has sent are Envoy's to count. Clients that leave early may have sent nothing that Envoy has read.
        try:
            wait_until(lambda: self.counted() == self.requested(), "the guest's count to be Envoy's")
        except AssertionError:
            self.wrong.append(f"the guest has counted {self.counted()}, Envoy {self.requested()}")
        if self.requested() < sum(self.counts.values()) - self.counts["left"]:
            self.wrong.append(f"Envoy has counted {self.requested()} of {sum(self.counts.values())}")

    def counted(self):
        return self.envoy.stats().get(REQUESTED, 0)

    def requested(self):
        stats = self.envoy.stats()
        names = [name for name in stats if name.startswith("http.") and name.endswith(".downstream_rq_total") and not name.startswith("http.admin.")]
        return sum(stats[name] for name in names)

    def end(self):
        return self.envoy.end()


class ModuleTraps:
    """A guest traps as often as is asked for, and its VM comes back each time; meanwhile requests by another guest's VM on the same
    workers are answered, one and all. `hurt`: those that were not."""

    def __init__(self, directory):
        module = filter_module(PUPPET)

        def listener(name, filters):
            answers = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
            made = config.bootstrap([], filters, answers)["static_resources"]["listeners"][0]
            made["name"] = name
            return made
        trapping = loads(directory, module, name="traps", vm_id="traps", configuration="on request_headers path=/trap: trap", failure_policy="FAIL_RELOAD",
                         reload_backoff_ms=1)
        beside = loads(directory, module, name="beside", vm_id="beside", configuration="on request_headers: set req x-a 1; data_set k v")
        bootstrap = config.bootstrap([], [trapping])
        listeners = [listener("traps", [trapping]), listener("beside", [beside])]
        bootstrap["static_resources"]["listeners"] = listeners
        self.port, self.other = (one["address"]["socket_address"]["port_value"] for one in listeners)
        self.envoy = Envoy(directory, bootstrap, concurrency=1, level="critical")
        for port in (self.port, self.other):
            wait_until(lambda port=port: listening(port), "the listeners")
        self.hurt = []
        self.served = 0
        self.figures = []

    def run(self, traps, rounds=10):
        stopped = threading.Event()

        def others():
            while not stopped.is_set():
                try:
                    status = request(self.other).status
                except (OSError, EOFError) as error:
                    status = repr(error)
                self.served += 1
                if status != 200:
                    self.hurt.append(status)
        thread = threading.Thread(target=others)
        thread.start()
        try:
            for number in range(traps):
                if number % max(1, traps // rounds) == 0:
                    self.figures.append(figures_of(self.envoy.pid))
                got = request(self.port, "/trap").status
                if got != 503:
                    self.hurt.append(f"trap {number}: {got}")
                wait_until(lambda: request(self.port).status == 200, "the VM made anew")
        finally:
            stopped.set()
            thread.join()
        self.figures.append(figures_of(self.envoy.pid))

    def end(self):
        return self.envoy.end()
