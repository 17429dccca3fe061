# SPDX-License-Identifier: Apache-2.0
"""The short form of scripts/soak: eight workers share each token of a second, and no request has one that is over."""

import unittest

from support.processes import SANITIZED, TestCase
from support.soak import Soak

PARALLEL = False


class SoakTest(TestCase):
    def test_every_request_has_a_good_token_and_one_worker_in_eight_asks(self):
        soak = Soak(self.directory)
        self.addCleanup(soak.end)
        result = soak.run(rate=320 if SANITIZED else 3200, seconds=8, connections=32)
        good = result.statuses["2xx"]
        # A machine that does something else for longer than a fifth of a token's life may let one run out: then requests are
        # refused by the proxy. None may reach the origin.
        self.assertEqual(result.statuses["4xx"], 0, result.output)
        self.assertEqual(result.lost, 0, result.output)
        self.assertGreaterEqual(good, 0.99 * result.requests, result.output)
        self.assertEqual(result.fetches, result.counted)
        self.assertGreaterEqual(result.fetches, 7)
        self.assertLessEqual(result.fetches, result.seconds / 0.8 + 2)


if __name__ == "__main__":
    unittest.main()
