// SPDX-License-Identifier: Apache-2.0
#include "http/header_fault.h"

#include <gtest/gtest.h>

namespace inlay::http {
namespace {

std::string fault(std::string_view name, std::string_view value) {
  HeaderMap map;
  map.add(":method", "GET");
  map.add(name, value);
  return header_fault(map);
}

TEST(HeaderFault, WhatCanBeSentHasNone) {
  EXPECT_EQ(fault("x", "a\tb\x80 "), "");
  EXPECT_EQ(fault(":own", "a"), "");
  EXPECT_EQ(fault("", "a"), "");
}

// As Envoy 1.40 words it.
TEST(HeaderFault, IsNamedInEnvoysWords) {
  EXPECT_EQ(fault("x-bad", "a\r\nb"), "invalid header value for: x-bad");
  EXPECT_EQ(fault("x-bad", std::string_view("a\0", 2)), "invalid header value for: x-bad");
  EXPECT_EQ(fault(":path", "/a\nb"), "invalid header value for: :path");
  EXPECT_EQ(fault("x y", "a"), "invalid header name: x y");
  EXPECT_EQ(fault(":", "a"), "invalid header name: :");
  EXPECT_EQ(fault("x\r\ny", "a"), "invalid header name: x\\r\\ny");
  EXPECT_EQ(fault_details("request", "invalid header name: x y"),
            "filter_removed_required_request_headers{invalid_header_name:_x_y}");
}

// Envoy sends it: a method with a blank would write the rest of the request line.
TEST(HeaderFault, AMethodIsAToken) {
  HeaderMap map;
  map.add(":method", "GET /admin HTTP/1.1");
  EXPECT_EQ(header_fault(map), "invalid header value for: :method");
}

TEST(ShowBytes, EscapesWhatIsNotPrintable) {
  EXPECT_EQ(show_bytes(std::string_view("x\r\n\t\0y\xff\x7f", 8)), "x\\r\\n\\t\\u0000y\\u00ff\\u007f");
}

}  // namespace
}  // namespace inlay::http
