// SPDX-License-Identifier: Apache-2.0
#include "sdk/testing/fake_host.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing/guide.h"
#include "examples/quota/plugin.cc"  // NOLINT: the registration is in it

using inlay::sdk::testing::FakeCall;
using inlay::sdk::testing::FakeHost;
using inlay::sdk::testing::FakeReply;
using inlay::sdk::testing::FakeWorker;

TEST(Quota, ClosesWhenTheServiceSaysSo) {
  FakeHost host;
  uint32_t status = 200;
  host.services["quota"] = [&](const FakeCall&) { return FakeReply{.status = status}; };
  FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", "");
  EXPECT_EQ(worker.request(root, {{":path", "/"}}).reply_status, 0u);
  status = 429;
  host.advance(2s);
  EXPECT_EQ(worker.request(root, {{":path", "/"}}).reply_status, 429u);
}

// docs/guide/sdk.md shows these files: each of its lines of C++ stands in one of them.
TEST(Quota, GuideShowsThisCode) {
  inlay::testing::expect_guide_shows(INLAY_SOURCE_DIR, "docs/guide/sdk.md",
                                     {"examples/quota/plugin.cc", "examples/quota/plugin_test.cc",
                                      "examples/gate/plugin.cc", "examples/grpc_quota/plugin.cc"},
                                     70);
}
