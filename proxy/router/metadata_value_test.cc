// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/metadata_value.h"

#include <gtest/gtest.h>

namespace inlay::proxy::router {
namespace {

const config::Metadata kMetadata = {
    {"other", "{}"}, {"f.g", R"({"a":{"b":"x\"y","n":1.5,"t":true,"l":[1,"z"],"o":{"k":2},"null":null,"e":""}})"}};

std::string at(std::string_view path) {
  const auto value = metadata_value(kMetadata, path);
  return value ? (value->is_text ? "text " : "json ") + value->text : "none";
}

TEST(MetadataValue, WhereAPathLeads) {
  EXPECT_EQ(at("f.g:a:b"), "text x\"y");
  EXPECT_EQ(at("f.g:a:e"), "text ");
  EXPECT_EQ(at("f.g:a:n"), "json 1.5");
  EXPECT_EQ(at("f.g:a:t"), "json true");
  EXPECT_EQ(at("f.g:a:l"), R"(json [1,"z"])");
  EXPECT_EQ(at("f.g:a:o"), R"(json {"k":2})");
  EXPECT_EQ(at("other"), "json {}");
  for (const char* path : {"f.g:a:null", "f.g:a:b:c", "f.g:a:l:0", "f.g:x", "f", "", ":"})
    EXPECT_EQ(at(path), "none") << path;
}

}  // namespace
}  // namespace inlay::proxy::router
