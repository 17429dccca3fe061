// SPDX-License-Identifier: Apache-2.0
#include "sdk/testing/fake_host.h"

#include <gtest/gtest.h>

#include "examples/gate/plugin.cc"  // NOLINT: the registration is in it

using inlay::sdk::testing::FakeCall;
using inlay::sdk::testing::FakeConnection;
using inlay::sdk::testing::FakeHost;
using inlay::sdk::testing::FakeReply;
using inlay::sdk::testing::FakeStream;
using inlay::sdk::testing::FakeWorker;

namespace {

FakeReply auth(const FakeCall& call) {
  return {.status = call.header("x-user") == "admin" ? 200u : 403u, .delay_ms = 100};
}

TEST(Gate, AnswerDecidesItsOwnRequest) {
  FakeHost host;
  host.services["auth"] = auth;
  FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", "");
  FakeStream& gone = worker.open(root, {{":path", "/"}, {"x-user", "admin"}});
  worker.close(gone);  // its client does not wait
  FakeStream& other = worker.open(root, {{":path", "/"}, {"x-user", "mallory"}});
  host.advance(1s);
  EXPECT_EQ(other.reply_status, 403u);
  FakeStream& admin = worker.open(root, {{":path", "/"}, {"x-user", "admin"}});
  host.advance(1s);
  EXPECT_EQ(admin.header("x-checked"), "yes");
  EXPECT_EQ(admin.continued, 1u);
}

TEST(Gate, ConnectionsWaitForTheirFirstLine) {
  FakeHost host;
  host.services["auth"] = auth;
  FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", "");
  FakeConnection& admin = worker.connect(root);
  FakeConnection& other = worker.connect(root);
  (void)worker.client_sends(admin, "adm");
  (void)worker.client_sends(other, "mallory\nhello");
  (void)worker.client_sends(admin, "in\nhello");
  EXPECT_EQ(host.calls.size(), 2u);
  host.advance(1s);
  (void)worker.client_sends(admin, " again");
  EXPECT_EQ(admin.to_server, "admin\nhello again");
  EXPECT_TRUE(other.closed);
  EXPECT_EQ(other.to_server, "");
}

}  // namespace
