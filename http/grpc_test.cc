// SPDX-License-Identifier: Apache-2.0
#include "http/grpc.h"

#include <gtest/gtest.h>

namespace inlay::http {
namespace {

bool is_grpc_type(std::string_view content_type) {
  HeaderMap request;
  request.add("content-type", content_type);
  return is_grpc(request);
}

TEST(Grpc, IsTheContentType) {
  EXPECT_TRUE(is_grpc_type("application/grpc"));
  EXPECT_TRUE(is_grpc_type("application/grpc+proto"));
  EXPECT_FALSE(is_grpc_type("application/grpc-web"));
  EXPECT_FALSE(is_grpc_type("application/grpc-web+proto"));
  EXPECT_FALSE(is_grpc_type("application/json"));
  EXPECT_FALSE(is_grpc(HeaderMap()));
}

TEST(Grpc, StatusesOfHttp) {
  EXPECT_EQ(grpc_status_of(400), 13u);
  EXPECT_EQ(grpc_status_of(401), 16u);
  EXPECT_EQ(grpc_status_of(403), 7u);
  EXPECT_EQ(grpc_status_of(404), 12u);
  for (const uint32_t status : {429, 502, 503, 504}) EXPECT_EQ(grpc_status_of(status), 14u);
  EXPECT_EQ(grpc_status_of(500), 2u);
}

TEST(Grpc, AnAnswerWithoutABody) {
  HeaderMap response;
  response.add(":status", "503");
  response.add("x-a", "1");
  set_grpc_answer(response, 14, "50% \n");
  EXPECT_EQ(response.value(HeaderId::kStatus), "200");
  EXPECT_EQ(response.value(HeaderId::kContentType), "application/grpc");
  EXPECT_EQ(response.value(HeaderId::kGrpcStatus), "14");
  EXPECT_EQ(response.value(HeaderId::kGrpcMessage), "50%25 %0A");
  EXPECT_EQ(response.get("x-a"), "1");
}

}  // namespace
}  // namespace inlay::http
