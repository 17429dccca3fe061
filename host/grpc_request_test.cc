// SPDX-License-Identifier: Apache-2.0
#include "host/grpc_request.h"

#include <gtest/gtest.h>

#include <string>

#include "http/header_fault.h"

namespace inlay::host {
namespace {

using std::chrono::milliseconds;

std::string head(const GrpcTarget& target, const Pairs& metadata, std::optional<milliseconds> timeout = {}) {
  http::HeaderMap headers;
  write_grpc_head(target, "pkg.Service", "Method", timeout, metadata, headers);
  std::string text;
  for (const auto& e : headers) text.append(e.name).append("=").append(e.value).append(" ");
  return text;
}

const GrpcTarget kTarget{.kind = GrpcTarget::Kind::kCluster, .cluster = "rpc"};

TEST(GrpcRequest, HasTheMethodAndTheCluster) {
  EXPECT_EQ(head(kTarget, {}),
            ":method=POST :path=/pkg.Service/Method :authority=rpc te=trailers content-type=application/grpc ");
}

TEST(GrpcRequest, SaysItsTimeout) {
  EXPECT_NE(head(kTarget, {}, milliseconds(250)).find("grpc-timeout=250m "), std::string::npos);
  EXPECT_NE(head(kTarget, {}, milliseconds(0)).find("grpc-timeout=0m "), std::string::npos);
}

TEST(GrpcRequest, MetadataComesBehindTheTargets) {
  GrpcTarget target = kTarget;
  target.authority = "svc";
  target.metadata = {{"x-m", "v"}};
  const std::string text = head(target, {{"x-m", "w"}, {"X-Upper", "1"}, {"", "no name"}});
  EXPECT_NE(text.find(":authority=svc "), std::string::npos);
  EXPECT_TRUE(text.ends_with("x-m=v x-m=w x-upper=1 ")) << text;
}

// As Envoy 1.40 does it.
TEST(GrpcRequest, AFieldOfItsOwnIsJoined) {
  const std::string text =
      head(kTarget, {{":path", "/x"}, {":authority", "z"}, {"te", "y"}, {"content-type", "application/x"}});
  EXPECT_EQ(text,
            ":method=POST :path=/pkg.Service/Method,/x :authority=rpc,z te=trailers,y "
            "content-type=application/grpc,application/x ");
}

TEST(GrpcRequest, BinaryMetadataIsBase64) {
  for (const auto& [bytes, text] :
       {std::pair{"", ""}, {"a", "YQ=="}, {"ab", "YWI="}, {"abc", "YWJj"}, {"abcd", "YWJjZA=="}, {"\xff\xfe", "//4="}})
    EXPECT_TRUE(head(kTarget, {{"x-bin", bytes}}).ends_with(std::string("x-bin=") + text + " ")) << text;
}

TEST(GrpcRequest, WhatNoHeaderCanHaveIsKeptForTheEmbedderToRefuse) {
  http::HeaderMap headers;
  write_grpc_head(kTarget, "a", "b", {}, {{"x-a", "line\nbreak"}}, headers);
  EXPECT_NE(http::header_fault(headers), "");
}

}  // namespace
}  // namespace inlay::host
