// SPDX-License-Identifier: Apache-2.0

// The filter of this folder, run on this machine without any WebAssembly: docs/guide/out_of_tree.md.

#include "filter.cc"  // NOLINT: the registration is in it

#include <gtest/gtest.h>

#include "sdk/testing/fake_host.h"

TEST(OwnFilter, GreetsEachRequest) {
  inlay::sdk::testing::FakeHost host;
  auto& worker = host.add_worker();
  const auto root = worker.start("any", "hello");
  const auto stream = worker.request(root, {{":path", "/"}});
  EXPECT_EQ(stream.header("x-greeting"), "hello");
}

TEST(OwnFilter, RefusesAnEmptyConfiguration) {
  inlay::sdk::testing::FakeHost host;
  EXPECT_EQ(host.add_worker().start("any", ""), 0u);
}
