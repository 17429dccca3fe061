// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/node.h"

#include <gtest/gtest.h>

namespace inlay::dynamic_module {
namespace {

using abi::Status;

constexpr const char* kNode =
    R"({"id": "n", "metadata": {"LABELS": {"app": "web"}, "ports": [80, true], "none": null}, "locality": {"zone": "z"}})";

Status get(const std::vector<std::string_view>& path, std::string& value, std::string_view node = kNode) {
  return get_root_property(node, path, value);
}

TEST(Node, APathGoesThroughItsFields) {
  std::string value;
  EXPECT_EQ(get({"xds", "node", "id"}, value), Status::kOk);
  EXPECT_EQ(value, "n");
  EXPECT_EQ(get({"xds", "node", "metadata", "LABELS", "app"}, value), Status::kOk);
  EXPECT_EQ(value, "web");
  EXPECT_EQ(get({"xds", "node", "locality", "zone"}, value), Status::kOk);
  EXPECT_EQ(value, "z");
  EXPECT_EQ(get({"xds", "node", "metadata", "ports", "1"}, value), Status::kOk);
  EXPECT_EQ(value, "\1");
  EXPECT_EQ(get({"xds", "node", "metadata", "ports", "0"}, value), Status::kOk);
  EXPECT_EQ(value.size(), sizeof(double));
}

TEST(Node, AMapIsPairs) {
  std::string value;
  EXPECT_EQ(get({"xds", "node", "metadata", "LABELS"}, value), Status::kOk);
  EXPECT_EQ(value, std::string("\1\0\0\0\3\0\0\0\3\0\0\0app\0web\0", 20));
}

TEST(Node, WhatIsNotThereIsNotFound) {
  std::string value;
  EXPECT_EQ(get({}, value), Status::kNotFound);
  EXPECT_EQ(get({"request", "path"}, value), Status::kNotFound);
  EXPECT_EQ(get({"xds", "listener_direction"}, value), Status::kNotFound);
  EXPECT_EQ(get({"xds", "node", "id", "more"}, value), Status::kNotFound);
  EXPECT_EQ(get({"xds", "node", "metadata", "ports", "2"}, value), Status::kNotFound);
  EXPECT_EQ(get({"xds", "node", "metadata", "ports", "x"}, value), Status::kNotFound);
  EXPECT_EQ(get({"xds", "node", "id"}, value, ""), Status::kNotFound);
}

TEST(Node, WhatHasNoEncodingSaysSo) {
  std::string value;
  EXPECT_EQ(get({"xds"}, value), Status::kSerializationFailure);
  EXPECT_EQ(get({"xds", "node"}, value), Status::kSerializationFailure);
  EXPECT_EQ(get({"xds", "node", "metadata", "none"}, value), Status::kSerializationFailure);
  EXPECT_EQ(get({"xds", "node", "metadata"}, value), Status::kSerializationFailure);
}

}  // namespace
}  // namespace inlay::dynamic_module
