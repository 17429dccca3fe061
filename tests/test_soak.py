# SPDX-License-Identifier: Apache-2.0
"""The short form of scripts/soak: eight workers share each token of a second, and no request has one that is over."""

import unittest

from support.both import in_envoy_too
from support.processes import PATIENCE, SANITIZED, TestCase, wait_until
from support.soak import Soak


@in_envoy_too
class SoakTest(TestCase):
    def test_every_request_has_a_good_token_and_one_worker_in_eight_asks(self):
        # A machine that does something else for longer than a fifth of a token's life lets one run out: then requests wait for
        # the next, and what is on its way is taken all the same. A worker that missed a renewal would be found out.
        soak = Soak(self.directory, grace=4, kind=self.KIND, when_missing={"action": "hold", "hold_for": f"{PATIENCE}s", "max_held": 1000})
        self.addCleanup(soak.end)
        result = soak.run(rate=320 if SANITIZED else 3200, seconds=8, connections=32)
        self.assertEqual(result.statuses["2xx"], result.requests, result.output)
        self.assertEqual(result.lost, 0, result.output)
        self.assertGreaterEqual(result.fetches, 2)
        self.assertLessEqual(result.fetches, result.seconds / 0.8 + 2)
        wait_until(lambda: soak.counted() == soak.provider.tokens, "as many fetches as the provider has counted")


if __name__ == "__main__":
    unittest.main()
