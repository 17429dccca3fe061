# SPDX-License-Identifier: Apache-2.0
"""The short forms of scripts/soak and scripts/soak_mixed: eight workers share each token of a second, and no request has one that is
over; and of requests by HTTP/1 and HTTP/2, with trailers and resets among them, none is lost and none is wrong."""

import unittest

from support.both import in_envoy_too
from support.mixed_soak import LEGS, MixedSoak
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


@in_envoy_too
class MixedSoakTest(TestCase):
    def test_none_is_lost_and_none_is_wrong(self):
        soak = MixedSoak(self.directory, kind=self.KIND)
        self.addCleanup(soak.end)
        soak.run(1200 if SANITIZED else 12_000, rounds=2)
        self.assertEqual(soak.wrong, [])
        each = (1200 if SANITIZED else 12_000) // len(LEGS)
        self.assertEqual([soak.counts[f"{client} {path}"] for client, path in LEGS], [each] * len(LEGS))
        self.assertTrue(soak.counts["with trailers"] and soak.counts["reset by clients"] and soak.counts["reset by origins"])


if __name__ == "__main__":
    unittest.main()
