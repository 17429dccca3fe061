# SPDX-License-Identifier: Apache-2.0
"""What a guest may have, as the command line says."""

import subprocess
import unittest

from support import config, guests
from support.both import inlay_only
from support.processes import INLAY, Proxy, TestCase
from support.wire import request

# Wants 192 MiB when it starts.
LARGE = guests.guest("""
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (i32.ne (memory.grow (i32.const 3072)) (i32.const -1)))""")

# Takes a while to start: some 0.2 s in the interpreter.
SLOW = guests.guest("""
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 5000000))))
    (i32.const 1))""")


@inlay_only("limits on Inlay's command line")
class GuestLimits(TestCase):
    def start(self, guest, *flags):
        module = guests.assemble(self.directory, "guest", guest)
        routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
        bootstrap = config.bootstrap([], [config.wasm(module)], routes=routes)
        proxy = Proxy(self.directory, bootstrap, engine="interp", flags=flags)
        self.programs.append(proxy)
        return proxy

    def refused(self, proxy, why):
        self.assertEqual(proxy.wait(), 1)
        self.assertIn(why, proxy.log())

    def test_memory(self):
        self.refused(self.start(LARGE), "proxy_on_configure")
        proxy = self.start(LARGE, "--guest-memory-mib", "256").wait_ready()
        self.assertEqual(request(proxy.port).status, 200)

    def test_time(self):
        self.refused(self.start(SLOW, "--guest-call-ms", "1"), "the call took longer than its budget")
        for budget in ("60000", "0"):
            proxy = self.start(SLOW, "--guest-call-ms", budget).wait_ready()
            self.assertEqual(request(proxy.port).status, 200)
            proxy.end()

    def test_what_they_cannot_be(self):
        for flags in (["--guest-memory-mib", "0"], ["--guest-memory-mib", "4097"], ["--guest-call-ms", "-1"]):
            done = subprocess.run([INLAY, "run", "-c", "x.yaml", *flags], capture_output=True, text=True, timeout=600)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(flags[0], done.stderr)


if __name__ == "__main__":
    unittest.main()
