// SPDX-License-Identifier: Apache-2.0
#include "sdk/testing/fake_host.h"

#include <gtest/gtest.h>

#include "examples/grpc_quota/plugin.cc"  // NOLINT: the registration is in it

using inlay::sdk::testing::FakeGrpcCall;
using inlay::sdk::testing::FakeGrpcReply;
using inlay::sdk::testing::FakeHost;
using inlay::sdk::testing::FakeStream;
using inlay::sdk::testing::FakeWorker;

namespace {

TEST(GrpcQuota, TheServiceDecides) {
  FakeHost host;
  FakeGrpcReply answer{.delay_ms = 100};
  host.grpc_services["quota"] = [&](const FakeGrpcCall& call) {
    EXPECT_EQ(call.service + "/" + call.method, "quota.v1.Quota/Take");
    EXPECT_EQ(call.messages, (std::vector<std::string>{"\x08\x01"}));
    EXPECT_EQ(call.timeout_ms, 500u);
    return answer;
  };
  FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", "");
  FakeStream& taken = worker.open(root, {{":path", "/"}});
  EXPECT_EQ(taken.continued, 0u);
  host.advance(1s);
  EXPECT_EQ(taken.continued, 1u);
  for (const FakeGrpcReply& no :
       {FakeGrpcReply{.status = 8, .text = "spent"}, FakeGrpcReply{.delay_ms = 600}, FakeGrpcReply{.refuse = true}}) {
    answer = no;
    FakeStream& refused = worker.open(root, {{":path", "/"}});
    host.advance(1s);
    EXPECT_EQ(refused.reply_status, 503u);
    EXPECT_EQ(refused.continued, 0u);
  }
}

// A client that goes away costs the service no more.
TEST(GrpcQuota, ACallEndsWithItsRequest) {
  FakeHost host;
  host.grpc_services["quota"] = [](const FakeGrpcCall&) { return FakeGrpcReply{.delay_ms = 100}; };
  FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", "");
  worker.close(worker.open(root, {{":path", "/"}}));
  host.advance(1s);
  ASSERT_EQ(host.grpc_calls.size(), 1u);
  EXPECT_TRUE(host.grpc_calls[0].cancelled);
}

}  // namespace
