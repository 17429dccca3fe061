# SPDX-License-Identifier: Apache-2.0
"""What a guest does that would end or hang Envoy: the log says so, and with --hazards=fail the request fails."""

import unittest

from support import config, guests
from support.both import inlay_only
from support.envoy import Envoy, needs_envoy
from support.guests import import_proxy
from support.origins import Echo
from support.processes import TestCase, wait_until
from support.wire import Wire, request

# Resumes the response while the request is on its way.
EARLY = guests.guest("""
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $continue_stream (i32.const 1)))
    (i32.const 0))""", import_proxy("continue_stream", 1))


@inlay_only("the warnings and the flag are Inlay's own")
class Hazards(TestCase):
    def serve(self, *flags):
        echo = self.start(Echo(self.directory))
        guest = config.wasm(guests.assemble(self.directory, "early", EARLY), name="early")
        return self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)], [guest]), flags=flags)

    def test_the_log_warns_once_and_a_statistic_counts(self):
        proxy = self.serve()
        for _ in range(3):
            self.assertEqual(request(proxy.port).status, 200)
        self.assertEqual(proxy.log().count("plugin early in proxy_on_request_headers resumes the response before there is one; in "
                                           "Envoy this ends the process (hazard resume_before_response)"), 1)
        self.assertEqual(proxy.stats()["wasm.hazard.resume_before_response"], 3)

    def test_with_fail_the_request_fails_and_says_why(self):
        answer = request(self.serve("--hazards=fail").port)
        self.assertEqual((answer.status, answer.body), (500, b"hazard resume_before_response: in Envoy this ends the process\n"))


@needs_envoy()
class HazardsInEnvoy(TestCase):
    def test_it_ends_the_process(self):
        echo = self.start(Echo(self.directory))
        guest = config.wasm(guests.assemble(self.directory, "early", EARLY), name="early")
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)], [guest]), kind=Envoy)
        with Wire(proxy.port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: inlay.test\r\n\r\n")
            wait_until(lambda: proxy.process.poll() is not None, "the end of the process")
        self.assertLess(proxy.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
