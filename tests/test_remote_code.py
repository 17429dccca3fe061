# SPDX-License-Identifier: Apache-2.0
"""code.remote: modules that are fetched by HTTP: when a listener opens, what is checked, cached, tried again."""

import json
import os
import subprocess
import unittest

from support import config, guests, tcp
from support.both import in_envoy_too, inlay_only
from support.module_server import ModuleServer
from support.origins import Echo, echoed
from support.processes import INLAY, TestCase, free_port, listening, wait_until
from support.wire import Wire, request


@in_envoy_too
class RemoteCode(TestCase):
    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))
        self.modules = ModuleServer(guests.assemble(self.directory, "guest", guests.answers("fetched")))
        self.addCleanup(self.modules.close)
        self.cache = os.path.join(self.directory, "cache")

    def code(self, path="/guest.wasm", sha256=None, retries=0, timeout="60s"):
        return {"remote": {"http_uri": {"uri": f"http://modules.test:81{path}", "cluster": "modules", "timeout": timeout},
                           "sha256": sha256 or self.modules.sha256,
                           "retry_policy": {"num_retries": retries, "retry_back_off": {"base_interval": "0.01s"}}}}

    def bootstrap(self, code, port=None, **plugin):
        clusters = [config.cluster("origin", self.echo.port), config.cluster("modules", port or self.modules.port)]
        made = config.bootstrap(clusters, [config.wasm(code, **plugin)])
        # Another listener, which has nothing to wait for.
        self.plain = config.listener(name="plain")
        self.plain_port = self.plain["address"]["socket_address"]["port_value"]
        made["static_resources"]["listeners"].append(self.plain)
        return made

    def serve(self, made, **options):
        options.setdefault("environment", {"XDG_CACHE_HOME": self.cache})
        proxy = self.launch_proxy(made, name=f"proxy-{len(self.programs)}", **options)
        proxy.wait_for(lambda: listening(proxy.admin_port), "the admin server")
        return proxy

    def told(self, proxy, *words):
        """Checks the log for what Inlay says of a fetch, and Envoy does not."""
        for one in words if not self.in_envoy else ():
            self.assertIn(one, proxy.log())

    def guest(self, proxy):
        return echoed(proxy.port)["headers"].get("x-guest")

    def validate(self, made, *flags):
        path = os.path.join(self.directory, "validate.json")
        with open(path, "w") as file:
            json.dump(made, file)
        return subprocess.run([INLAY, "validate", "-c", path, *flags], capture_output=True, text=True, check=False,
                              env=dict(os.environ, XDG_CACHE_HOME=self.cache))

    def test_the_listener_opens_when_the_code_has_come_and_the_others_serve_meanwhile(self):
        self.modules.hold.clear()
        proxy = self.serve(self.bootstrap(self.code()), concurrency=2)
        proxy.wait_for(lambda: self.modules.headers, "the fetch")
        self.assertEqual(self.modules.headers[0]["host"], "modules.test:81")
        if self.either(True, False, why="no listener opens before all can"):
            self.assertNotIn("x-guest", echoed(self.plain_port)["headers"])
        else:
            self.assertFalse(listening(self.plain_port))
        self.assertFalse(listening(proxy.port))
        reason = self.either("waiting for the code of plugins\n", "", why="it names no reason")
        self.assertEqual(proxy.admin("/ready"), (503, "INITIALIZING\n" + reason))
        self.modules.hold.set()
        proxy.wait_ready()
        for _ in range(8):  # both workers
            self.assertEqual(self.guest(proxy), "fetched")
        self.assertEqual(proxy.admin("/ready"), (200, "LIVE\n"))
        stats = proxy.stats()
        self.assertEqual(stats["wasm.remote_load_fetch_successes"], 1)
        self.assertEqual(stats["wasm.remote_load_cache_misses"], 1)
        self.assertEqual(stats["wasm.remote_load_cache_entries"], 1)

    @inlay_only("its cache on disk")
    def test_a_start_without_network_runs_from_the_disk_cache(self):
        first = self.serve(self.bootstrap(self.code())).wait_ready()
        self.assertEqual(self.guest(first), "fetched")
        first.end()
        kept = os.path.join(self.cache, "inlay", self.modules.sha256 + ".wasm")
        self.assertEqual(os.stat(kept).st_mode & 0o777, 0o600)
        second = self.serve(self.bootstrap(self.code(), port=free_port())).wait_ready()
        self.assertEqual(self.guest(second), "fetched")
        self.assertEqual(second.stats()["wasm.remote_load_cache_hits"], 1)
        self.assertEqual(len(self.modules.headers), 1)
        second.end()
        # A damaged file is as good as none.
        with open(kept, "wb") as file:
            file.write(b"\0asm damaged")
        third = self.serve(self.bootstrap(self.code())).wait_ready()
        self.assertEqual(self.guest(third), "fetched")
        self.assertEqual(len(self.modules.headers), 2)

    def test_retries(self):
        self.modules.failures = 2
        proxy = self.serve(self.bootstrap(self.code(retries=2))).wait_ready()
        self.assertEqual(self.guest(proxy), "fetched")
        self.told(proxy, "fetching http://modules.test:81/guest.wasm failed: status 503: not yet; retry 1 of 2")
        self.assertEqual(proxy.stats()["wasm.remote_load_fetch_failures"], 0)

    def test_a_failed_fetch_leaves_it_to_the_policy_and_is_tried_again(self):
        self.modules.failures = 1
        proxy = self.serve(self.bootstrap(self.code())).wait_ready()
        self.assertEqual(request(proxy.port).status, 503)
        self.told(proxy, "the code of plugin plugin could not be fetched from http://modules.test:81/guest.wasm: status 503: "
                         "not yet; trying again in 10 s, requests are refused until then")
        self.assertEqual(proxy.stats()["wasm.remote_load_fetch_failures"], 1)
        if not self.either(True, False, why="it is not tried again before the configuration changes"):
            self.assertEqual(request(proxy.port).status, 503)
            self.assertEqual(len(self.modules.headers), 1)
            return
        wait_until(lambda: request(proxy.port).status == 200, "the second fetch")
        self.assertEqual(self.guest(proxy), "fetched")
        self.assertEqual(proxy.stats()["wasm.remote_load_fetch_successes"], 1)

    def test_what_can_be_wrong_with_an_answer(self):
        wrong = "0" * 64
        cases = [
            (self.code(sha256=wrong), f"the module's sha256 is {self.modules.sha256}, but {wrong} is expected"),
            (self.code("/other.wasm"), "status 404: no such module"),
            (self.code("/moved"), "status 302: redirects are not followed; write the URI that it leads to, "
                                  "http://elsewhere.test/guest.wasm?[redacted]"),
        ]
        for code, message in cases:
            with self.subTest(message):
                proxy = self.serve(self.bootstrap(code, policy="FAIL_OPEN")).wait_ready()
                self.assertIsNone(self.guest(proxy))  # bypassed
                self.told(proxy, message, "requests pass without it until then")
                self.assertNotIn("s3cret", proxy.log())
                self.assertFalse(os.path.exists(os.path.join(self.cache, "inlay", wrong + ".wasm")))

    def test_time_out_and_nobody_there(self):
        self.modules.hold.clear()
        proxy = self.serve(self.bootstrap(self.code(timeout="0.05s"))).wait_ready()
        self.told(proxy, "status 504: upstream request timeout")
        self.assertEqual(request(proxy.port).status, 503)
        dead = self.serve(self.bootstrap(self.code(), port=free_port())).wait_ready()
        self.assertEqual(request(dead.port).status, 503)
        self.told(dead, "status 503: upstream connect error")

    def test_nack_on_code_cache_miss(self):
        made = self.bootstrap(self.code(), vm={"nack_on_code_cache_miss": True})
        refused = self.launch_proxy(made, environment={"XDG_CACHE_HOME": self.cache})
        self.assertEqual(refused.wait(), 1)
        refusal = self.either("not in the cache, and nack_on_code_cache_miss is set", "Unable to create Wasm plugin plugin", why="other words")
        self.assertIn(refusal, refused.log())
        if self.in_envoy:
            return
        checked = self.validate(made)
        self.assertEqual(checked.returncode, 1)
        self.assertIn(refusal, checked.stderr)
        self.serve(self.bootstrap(self.code())).wait_ready().end()  # fetches it
        proxy = self.serve(made).wait_ready()
        self.assertEqual(self.guest(proxy), "fetched")

    def test_a_plugin_that_refuses_to_start_is_left_to_its_policy(self):
        refusing = guests.guest('(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))')
        modules = ModuleServer(guests.assemble(self.directory, "refusing", refusing))
        self.addCleanup(modules.close)
        self.modules = modules
        proxy = self.serve(self.bootstrap(self.code())).wait_ready()
        self.assertEqual(request(proxy.port).status, 503)
        self.assertIn(self.either("unable to create Wasm plugin plugin", "Plugin plugin failed to load", why="other words"), proxy.log())
        self.assertEqual(request(self.plain_port).status, 200)

    def test_a_network_filter(self):
        modules = ModuleServer(guests.assemble(self.directory, "tcp", guests.guest("""
          (data (i32.const 1024) "connected")
          (func (export "proxy_on_new_connection") (param i32) (result i32)
            (call $say (i32.const 1024) (i32.const 9)) (i32.const 0))""")))
        self.addCleanup(modules.close)
        self.modules = modules
        self.modules.failures = 1
        clusters = [config.cluster("origin", self.echo.port), config.cluster("modules", modules.port)]
        made = tcp.bootstrap(clusters, [tcp.wasm_filter(self.code(retries=1))])
        proxy = self.serve(made).wait_ready()
        self.assertEqual(request(proxy.port).status, 200)
        proxy.wait_for(lambda: ": connected" in proxy.log(), "the guest's line")
        checked = self.validate(made, "--fetch-remote-code")
        self.assertEqual((checked.returncode, "not checked" in checked.stderr), (0, False), checked.stderr)
        proxy.end()
        refused = self.serve(tcp.bootstrap(clusters, [tcp.wasm_filter(self.code("/other.wasm", sha256="0" * 64))])).wait_ready()
        with Wire(refused.port) as wire:
            self.assertTrue(wire.ended())

    @inlay_only("Envoy dies of it")
    def test_ending_while_a_fetch_is_under_way(self):
        self.modules.hold.clear()
        proxy = self.serve(self.bootstrap(self.code()))
        proxy.wait_for(lambda: self.modules.headers, "the fetch")
        self.assertEqual(proxy.end(), 0)

    @inlay_only("`inlay validate`")
    def test_validate(self):
        made = self.bootstrap(self.code())
        unchecked = self.validate(made)
        self.assertEqual(unchecked.returncode, 0, unchecked.stderr)
        self.assertIn("is not checked: http://modules.test:81/guest.wasm has not been fetched yet", unchecked.stderr)
        self.assertEqual(self.modules.headers, [])
        fetched = self.validate(made, "--fetch-remote-code")
        self.assertEqual((fetched.returncode, "not checked" in fetched.stderr), (0, False), fetched.stderr)
        cached = self.validate(made)
        self.assertEqual((cached.returncode, "not checked" in cached.stderr), (0, False), cached.stderr)
        self.assertEqual(len(self.modules.headers), 1)
        wrong = self.validate(self.bootstrap(self.code(sha256="f" * 64)), "--fetch-remote-code")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn(f"the code of plugin plugin could not be fetched: the module's sha256 is {self.modules.sha256}",
                      wrong.stderr)


if __name__ == "__main__":
    unittest.main()
