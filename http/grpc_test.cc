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

HeaderMap trailers(std::string_view status) {
  HeaderMap map;
  map.add("grpc-status", status);
  return map;
}

TEST(Grpc, TheStatusOfTrailers) {
  EXPECT_EQ(grpc_status(HeaderMap()), std::nullopt);
  EXPECT_EQ(grpc_status(trailers("")), std::nullopt);
  EXPECT_EQ(grpc_status(trailers("0")), 0u);
  EXPECT_EQ(grpc_status(trailers("16")), 16u);
  for (const char* const text : {"17", "-1", "abc", "5 ", "99999999999"})
    EXPECT_EQ(grpc_status(trailers(text)), kNoGrpcStatus);
}

TEST(Grpc, TimeoutsAreWritten) {
  using std::chrono::milliseconds;
  EXPECT_EQ(grpc_timeout_text(milliseconds(0)), "0m");
  EXPECT_EQ(grpc_timeout_text(milliseconds(99'999'999)), "99999999m");
  EXPECT_EQ(grpc_timeout_text(milliseconds(100'000'000)), "100000S");
  EXPECT_EQ(grpc_timeout_text(milliseconds(INT64_MAX)), "2562047788015H");
}

TEST(Grpc, TimeoutsAreRead) {
  using std::chrono::milliseconds;
  for (const auto& [text, time] :
       {std::pair{"250m", 250}, {"2S", 2000}, {"3M", 180'000}, {"1H", 3'600'000}, {"0m", 0}, {"1n", 1}, {"1500u", 2}})
    EXPECT_EQ(read_grpc_timeout(text), milliseconds(time)) << text;
  for (const char* const text : {"", "m", "5", "5s", "-5m", "123456789m", "1 m"})
    EXPECT_EQ(read_grpc_timeout(text), std::nullopt) << text;
  EXPECT_EQ(read_grpc_timeout("99999999H"), std::chrono::hours(99'999'999));
}

}  // namespace
}  // namespace inlay::http
