// SPDX-License-Identifier: Apache-2.0
#include "http/http1_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace inlay::http {
namespace {

HeaderMap map_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  HeaderMap map;
  for (const auto& [name, value] : fields) map.add(name, value);
  return map;
}

TEST(Http1Writer, Heads) {
  const auto request = map_of({{":method", "POST"},
                               {":path", "/p"},
                               {":authority", "h"},
                               {":scheme", "http"},
                               {"X", "y"},
                               {"content-length", "3"},
                               {"transfer-encoding", "chunked"}});
  Buffer out;
  write_request_head(request, BodyFraming::kContentLength, out);
  EXPECT_EQ(out.to_string(), "POST /p HTTP/1.1\r\nhost: h\r\nx: y\r\ncontent-length: 3\r\n\r\n");
  out.clear();
  write_request_head(request, BodyFraming::kChunked, out);
  EXPECT_EQ(out.to_string(), "POST /p HTTP/1.1\r\nhost: h\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n");
  out.clear();
  write_response_head(map_of({{":status", "404"}, {"a", "b"}}), BodyFraming::kNone, true, out);
  EXPECT_EQ(out.to_string(), "HTTP/1.1 404 Not Found\r\na: b\r\nconnection: close\r\n\r\n");
}

TEST(Http1Writer, NoValueSmugglesInALine) {
  const auto request = map_of({{":method", "GET"},
                               {":path", "/a b\r\nx: y"},
                               {":authority", "h"},
                               {"good", "1"},
                               {"bad", "1\r\nGET /admin HTTP/1.1"},
                               {"cr", "a\rb"}});
  Buffer out;
  write_request_head(request, BodyFraming::kNone, out);
  EXPECT_EQ(out.to_string(), "GET /a%20b%0D%0Ax:%20y HTTP/1.1\r\nhost: h\r\ngood: 1\r\n\r\n");
  out.clear();
  write_response_head(map_of({{":status", "2\n0"}, {"set-cookie", "a\nb"}}), BodyFraming::kNone, false, out);
  EXPECT_EQ(out.to_string(), "HTTP/1.1 500 Internal Server Error\r\n\r\n");
  out.clear();
  const auto trailers = map_of({{"t", "a\r\nb"}, {"u", "v"}});
  write_last_chunk(&trailers, out);
  EXPECT_EQ(out.to_string(), "0\r\nu: v\r\n\r\n");
}

TEST(Http1Writer, Chunks) {
  Buffer out;
  Buffer empty;
  write_chunk(empty, out);
  EXPECT_TRUE(out.empty());  // a chunk of no bytes would be the last
  Buffer data;
  data.append(std::string(300, 'z'));
  write_chunk(data, out);
  EXPECT_TRUE(data.empty());
  write_last_chunk(nullptr, out);
  EXPECT_EQ(out.to_string(), "12c\r\n" + std::string(300, 'z') + "\r\n0\r\n\r\n");
}

}  // namespace
}  // namespace inlay::http
