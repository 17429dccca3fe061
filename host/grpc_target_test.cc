// SPDX-License-Identifier: Apache-2.0
#include "host/grpc_target.h"

#include <gtest/gtest.h>

#include "base/proto_wire.h"

namespace inlay::host {
namespace {

std::string field(uint32_t number, std::string_view bytes) {
  std::string out;
  put_bytes(out, number, bytes);
  return out;
}

TEST(GrpcTarget, ReadsEnvoyGrpc) {
  std::string limit;
  put_tag(limit, 1, ProtoWire::kVarint);
  put_varint(limit, 1000);
  const auto target =
      read_grpc_service(field(1, field(1, "rpc") + field(2, "svc.example") + field(4, limit)) + field(3, "") +
                        field(5, field(1, "x-a") + field(2, "1")) + field(5, field(1, "x-b-bin") + field(3, "\xff")));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->kind, GrpcTarget::Kind::kCluster);
  EXPECT_EQ(target->cluster, "rpc");
  EXPECT_EQ(target->host(), "svc.example");
  EXPECT_EQ(target->max_message, 1000u);
  EXPECT_EQ(target->metadata, (std::vector<std::pair<std::string, std::string>>{{"x-a", "1"}, {"x-b-bin", "\xff"}}));
  EXPECT_FALSE(target->has_retry_policy);
}

TEST(GrpcTarget, TheAuthorityIsTheClusterWhereThereIsNone) {
  EXPECT_EQ(read_grpc_service(field(1, field(1, "rpc")))->host(), "rpc");
}

TEST(GrpcTarget, KnowsGoogleGrpcAndRetryPolicies) {
  EXPECT_EQ(read_grpc_service(field(2, field(1, "127.0.0.1:1")))->kind, GrpcTarget::Kind::kAddress);
  EXPECT_TRUE(read_grpc_service(field(1, field(1, "a") + field(3, "")))->has_retry_policy);
  EXPECT_TRUE(read_grpc_service(field(1, field(1, "a")) + field(6, ""))->has_retry_policy);
}

TEST(GrpcTarget, NamesAreNoMessages) {
  for (const char* const name : {"rpc", "origin", "grpc", "outbound|80||a.b", "auth-service"})
    EXPECT_FALSE(read_grpc_service(name)) << name;
  // Some are by accident, and name no target.
  ASSERT_TRUE(read_grpc_service("upper"));
  EXPECT_EQ(read_grpc_service("upper")->kind, GrpcTarget::Kind::kNone);
  EXPECT_EQ(read_grpc_service("")->kind, GrpcTarget::Kind::kNone);
}

TEST(GrpcTarget, RefusesWhatIsMalformed) {
  EXPECT_FALSE(read_grpc_service(field(1, "\x0a\x7f")));
  EXPECT_FALSE(read_grpc_service(field(1, field(1, "\xff"))));
  EXPECT_FALSE(read_grpc_service(field(2, "\xff")));
  EXPECT_FALSE(read_grpc_service(field(5, "\x0a")));
  EXPECT_FALSE(read_grpc_service(field(5, field(1, "\xff"))));
  EXPECT_FALSE(read_grpc_service(field(1, field(4, "\x08"))));
}

}  // namespace
}  // namespace inlay::host
