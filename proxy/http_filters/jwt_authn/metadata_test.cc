// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/metadata.h"

#include <gtest/gtest.h>

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

TEST(Metadata, MembersAreSetAndTheOthersStay) {
  config::Metadata metadata = {{"other", "{}"}};
  add_metadata(metadata, "f", {{"a", R"({"x":1})"}, {"b", "2"}});
  add_metadata(metadata, "f", {{"a", R"(["y"])"}, {"a", R"("z")"}});
  ASSERT_EQ(metadata.size(), 2u);
  EXPECT_EQ(metadata[1].first, "f");
  EXPECT_EQ(metadata[1].second, R"({"b":2,"a":"z"})");
}

}  // namespace
}  // namespace inlay::proxy::http_filters::jwt_authn
