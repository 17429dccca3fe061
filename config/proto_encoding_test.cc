// SPDX-License-Identifier: Apache-2.0
#include "config/proto_encoding.h"

#include <gtest/gtest.h>

namespace inlay::config {
namespace {

TEST(ProtoEncoding, StructsAreProtobuf) {
  // fields {key: "a" value {string_value: "b"}}
  EXPECT_EQ(struct_bytes(R"({"a": "b"})"), std::string("\x0a\x08\x0a\x01\x61\x12\x03\x1a\x01\x62", 10));
  EXPECT_EQ(struct_bytes("[1]"), "");
  EXPECT_EQ(struct_bytes("{"), "");
}

TEST(ProtoEncoding, EachKindOfValueHasItsField) {
  const auto value = [](const std::string& json) { return struct_bytes("{\"\": " + json + "}").substr(4); };
  EXPECT_EQ(value("null"), std::string("\x08\x00", 2));
  EXPECT_EQ(value("1"), std::string("\x11\x00\x00\x00\x00\x00\x00\xf0\x3f", 9));
  EXPECT_EQ(value("true"), "\x20\x01");
  EXPECT_EQ(value("false"), std::string("\x20\x00", 2));
  EXPECT_EQ(value("{}"), std::string("\x2a\x00", 2));
  EXPECT_EQ(value("[\"x\"]"), "\x32\x05\x0a\x03\x1a\x01x");
}

TEST(ProtoEncoding, ANodeHasItsFields) {
  config::Node node;
  node.id = "i";
  node.locality.zone = "z";
  EXPECT_EQ(node_bytes(node), std::string("\x0a\x01i\x22\x03\x12\x01z", 8));
}

}  // namespace
}  // namespace inlay::config
