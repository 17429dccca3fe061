# SPDX-License-Identifier: Apache-2.0
"""How plugins start: how often, in which VMs, with what environment; what a failed start says."""

import unittest

from support import config, guests
from support.both import in_envoy_too, inlay_only
from support.guests import import_proxy
from support.origins import Echo, echoed
from support.processes import TestCase
from support.wire import request

STARTING = guests.guest("""
  (data (i32.const 1024) "init") (data (i32.const 1032) "vm_start") (data (i32.const 1048) "configure")
  (func (export "_initialize") (call $say (i32.const 1024) (i32.const 4)))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $say (i32.const 1032) (i32.const 8)) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (call $say (i32.const 1048) (i32.const 9)) (i32.const 1))""")

# A number in guest memory that each request counts up, and adds as x-guest (a digit).
COUNTING = guests.guest("""
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.add (i32.load8_u (i32.const 1024)) (i32.const 1)))
    (i32.store8 (i32.const 1025) (i32.add (i32.load8_u (i32.const 1024)) (i32.const 48)))
    (call $add_header (i32.const 1025) (i32.const 1))
    (i32.const 0))""")

# Says its environment, "NAME=value" by "NAME=value".
ENVIRONMENT = guests.guest("""
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (local $i i32)
    (drop (call $sizes (i32.const 1024) (i32.const 1028)))
    (drop (call $environment (i32.const 2048) (i32.const 4096)))
    (call $say (i32.const 4096) (i32.load (i32.const 1028)))
    (i32.const 1))""", """
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environment (param i32 i32) (result i32)))""")

REFUSING = guests.guest("""
  (data (i32.const 1024) "no key named `cluster`")
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (call $say (i32.const 1024) (i32.const 22)) (i32.const 0))""")

# Works in the canary and traps in every later start: shared data remembers.
ONCE = guests.guest("""
  (data (i32.const 1024) "started")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (if (i32.eqz (call $get_shared_data (i32.const 1024) (i32.const 7) (i32.const 2048) (i32.const 2052) (i32.const 2056)))
      (then (unreachable)))
    (drop (call $set_shared_data (i32.const 1024) (i32.const 7) (i32.const 1024) (i32.const 7) (i32.const 0)))
    (i32.const 1))""", import_proxy("get_shared_data", 5) + import_proxy("set_shared_data", 5))


@in_envoy_too
class PluginStart(TestCase):
    engine = None

    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))

    def module(self, text, name="guest"):
        return guests.assemble(self.directory, name, text)

    def bootstrap(self, *filters):
        return config.bootstrap([config.cluster("origin", self.echo.port)], filters)

    def serve(self, *filters, **options):
        return self.start_proxy(self.bootstrap(*filters), engine=self.engine, **options)

    def active(self, proxy, vms, workers=1):
        """Checks how many VMs are counted for so many keys: the module itself, the main thread's, and each worker's."""
        self.assertEqual(proxy.stats()["wasm.envoy.wasm.runtime.v8.active"], vms * (2 + workers))

    def refused(self, *filters):
        proxy = self.launch_proxy(self.bootstrap(*filters), engine=self.engine)
        self.assertEqual(proxy.wait(), 1)
        return proxy.log()

    def test_a_canary_then_the_main_thread_then_each_worker(self):
        proxy = self.serve(config.wasm(self.module(STARTING)), concurrency=3)
        said = [line.rpartition(": ")[2] for line in proxy.log().splitlines() if "wasm log: " in line]
        inits = self.either(5, 6, why="the VM from which the others are cloned begins, too")
        self.assertEqual((said.count("init"), said.count("vm_start"), said.count("configure")), (inits, 5, 5))
        self.assertEqual([word for word in said if word != "init"][:2], ["vm_start", "configure"])
        self.assertEqual(said[0], "init")
        self.active(proxy, 1, workers=3)

    def count(self, proxy):
        """The x-guest headers that a request got on its way."""
        found = echoed(proxy.port)["headers"]["x-guest"]
        return found if isinstance(found, list) else [found]

    def test_one_vm_for_equal_vm_id_code_and_vm_configuration(self):
        module = self.module(COUNTING)
        proxy = self.serve(config.wasm(module, "1", vm_id="v", name="one"), config.wasm(module, "2", vm_id="v", name="two"))
        self.active(proxy, 1)
        self.assertEqual(self.count(proxy), ["1", "2"])
        self.assertEqual(self.count(proxy), ["3", "4"])

    def test_vms_of_their_own(self):
        module = self.module(COUNTING)
        vm = {"configuration": config.string_value("x")}
        proxy = self.serve(config.wasm(module, vm_id="v"), config.wasm(module, vm_id="w"), config.wasm(module, vm_id="v", vm=vm),
                           config.wasm(module, vm_id="v", vm={"environment_variables": {"key_values": {"A": "b"}}}))
        shared = "plugins that differ in their environment only share a VM"
        self.active(proxy, self.since("1.39", 4, 3, why=shared))
        self.assertEqual(self.count(proxy), self.since("1.39", ["1", "1", "1", "1"], ["1", "1", "1", "2"], why=shared))

    def test_environment(self):
        variables = {"host_env_keys": ["XDG_CACHE_HOME", "NOT_SET_ANYWHERE"], "key_values": {"REGION": "eu"}}
        proxy = self.serve(config.wasm(self.module(ENVIRONMENT), vm={"environment_variables": variables}))
        said = proxy.log().partition("wasm log: ")[2].splitlines()[0]
        self.assertIn("REGION=eu", said)
        self.assertIn("XDG_CACHE_HOME=/", said)
        self.assertNotIn("NOT_SET_ANYWHERE", said)

    def test_a_canary_that_fails_stops_the_start_whatever_the_policy(self):
        for policy in ("FAIL_CLOSED", "FAIL_OPEN", "FAIL_RELOAD"):
            log = self.refused(config.wasm(self.module(REFUSING), name="picky", policy=policy))
            self.assertIn("no key named `cluster`", log)
            self.assertIn(self.either("unable to create Wasm plugin picky: plugin picky: proxy_on_configure returned false; the last "
                                      "line that it logged: no key named `cluster`", "Unable to create Wasm plugin picky", why="other words"), log)

    def test_a_later_failure_falls_to_the_policy(self):
        proxy = self.serve(config.wasm(self.module(ONCE), vm_id="closed", name="once"))
        self.assertEqual(request(proxy.port).status, self.either(503, 200, why="requests pass a plugin that did not start on their worker"))
        self.assertIn(self.either("plugin once could not be started: plugin once: proxy_on_configure failed: unreachable",
                                  "Failed to configure thread-local Wasm plugin", why="other words"), proxy.log())
        self.assertEqual(proxy.stats()["wasm.envoy.wasm.runtime.v8.active"], 1)  # the module itself
        opened = self.serve(config.wasm(self.module(ONCE), vm_id="open", policy="FAIL_OPEN"))
        self.assertEqual(request(opened.port).status, 200)

    def test_capabilities(self):
        said = config.wasm(self.module(STARTING), capability_restriction_config={"allowed_capabilities": {"proxy_log": {}}})
        proxy = self.serve(said)
        told = "plugin plugin will do nothing: its allowed_capabilities name none of the module's proxy_on_* callbacks" in proxy.log()
        self.assertEqual(told, self.either(True, False, why="Envoy says nothing of it"))
        self.assertEqual(request(proxy.port).status, 200)
        silent = config.wasm(self.module(COUNTING), name="silent",
                             capability_restriction_config={"allowed_capabilities": {"proxy_on_request_headers": {}}})
        proxy = self.serve(silent)
        self.assertNotIn("x-guest", echoed(proxy.port)["headers"])
        self.assertIn(self.either("the guest called proxy_add_header_map_value, which allowed_capabilities does not allow",
                                  "Attempted call to restricted proxy-wasm capability: proxy_add_header_map_value", why="other words"),
                      proxy.log())

    def test_a_sibling_in_the_vm_of_one_that_traps(self):
        trapping = COUNTING.replace("(call $add_header", """(if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 4)) (then unreachable))
            (call $add_header""")
        module = self.module(trapping)
        proxy = self.serve(config.wasm(module, "1", vm_id="v", name="one", policy="FAIL_OPEN"),
                           config.wasm(module, "2", vm_id="v", name="two", policy="FAIL_OPEN"))
        self.assertEqual(self.count(proxy), ["1", "2"])
        if self.either(True, False, why="a request that traps is lost whatever the policy; only later ones pass"):
            self.assertEqual(self.count(proxy), ["3"])  # "two" traps
        else:
            self.assertEqual(request(proxy.port).status, 503)
        self.assertNotIn("x-guest", echoed(proxy.port)["headers"])
        self.assertIn(self.either("the VM of plugin one (FAIL_OPEN), two (FAIL_OPEN) has failed: unreachable", "Uncaught RuntimeError: unreachable",
                                  why="other words"), proxy.log())


@inlay_only("its second engine")
class PluginStartInterpreted(PluginStart):
    engine = "interp"


if __name__ == "__main__":
    unittest.main()
