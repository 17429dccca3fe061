// SPDX-License-Identifier: Apache-2.0
#include "cli/echo.h"

#include <gtest/gtest.h>

namespace inlay::cli {
namespace {

http::HeaderMap request_headers(std::string_view path) {
  http::HeaderMap headers;
  headers.add(":method", "POST");
  headers.add(":path", path);
  headers.add(":authority", "workload:8081");
  headers.add("authorization", "Bearer 1.a\"b");
  headers.add("x-twice", "one");
  headers.add("x-other", "");
  headers.add("x-twice", "two");
  return headers;
}

TEST(Echo, TextShowsTheRequestAsItCame) {
  const http::HeaderMap headers = request_headers("/a?b=c"), none;
  const Reply reply = EchoHandler().on_request({headers, none, 12, 1});
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.body,
            "POST /a?b=c HTTP/1.1\nhost: workload:8081\nauthorization: Bearer 1.a\"b\nx-twice: one\nx-other: \n"
            "x-twice: two\n\nbody: 12 bytes\n");
}

TEST(Echo, JsonByQuery) {
  const http::HeaderMap headers = request_headers("/?format=json");
  http::HeaderMap trailers;
  trailers.add("x-sum", "7");
  const Reply reply = EchoHandler().on_request({headers, trailers, 3, 0});
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(reply.body,
            "{\"method\": \"POST\", \"path\": \"/?format=json\", \"version\": \"HTTP/1.0\", \"headers\": {\"host\": "
            "\"workload:8081\", \"authorization\": \"Bearer 1.a\\\"b\", \"x-twice\": [\"one\", \"two\"], "
            "\"x-other\": \"\"}, \"trailers\": {\"x-sum\": \"7\"}, \"body_bytes\": 3}\n");
}

TEST(Echo, JsonByAccept) {
  http::HeaderMap headers = request_headers("/");
  const http::HeaderMap none;
  headers.add("accept", "text/html, application/json");
  EXPECT_EQ(EchoHandler().on_request({headers, none, 0, 1}).content_type, "application/json");
}

TEST(Request, SplitsThePath) {
  const http::HeaderMap headers = request_headers("/a/b?x&format=json&y=%20"), none;
  const Request request{headers, none, 0, 1};
  EXPECT_EQ(request.path(), "/a/b");
  EXPECT_EQ(request.query("format"), "json");
  EXPECT_EQ(request.query("y"), "%20");
  EXPECT_EQ(request.query("x"), "");
  EXPECT_EQ(request.query("z"), "");
}

TEST(JsonString, EscapesWhatJsonDoesNotAllow) {
  EXPECT_EQ(json_string("a\\\"\n\x7f\xe9"), "\"a\\\\\\\"\\u000a\\u007f\\u00e9\"");
}

}  // namespace
}  // namespace inlay::cli
