// SPDX-License-Identifier: Apache-2.0
#include "package/reference.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::package {
namespace {

TEST(Reference, Repositories) {
  for (const char* name : {"a", "a_b", "a--b", "127.0.0.1:5000/a", "localhost:1/a/b.c", "ghcr.io/me/one"}) {
    EXPECT_TRUE(is_repository(name)) << name;
  }
  for (const char* name : {"", "Upper", "a//b", "/a", "a/", ".a", "a b", "a..b", "host:port/a", "a:5000", "host:/a",
                           "a-", "a/_b", "a._b"}) {
    EXPECT_FALSE(is_repository(name)) << name;
  }
}

TEST(Reference, Tags) {
  for (const std::string& tag : {std::string("1.0"), std::string("_a-b.C"), std::string(128, 'a')})
    EXPECT_TRUE(is_tag(tag)) << tag;
  for (const std::string& tag : {std::string(), std::string("1.0+build"), std::string(".a"), std::string(129, 'a')}) {
    EXPECT_FALSE(is_tag(tag)) << tag;
  }
}

TEST(Reference, Registries) {
  for (const char* name : {"ghcr.io/me/one", "localhost/one", "host:5000/one"})
    EXPECT_TRUE(names_registry(name)) << name;
  for (const char* name : {"one", "filters/one", "one.two"}) EXPECT_FALSE(names_registry(name)) << name;
}

}  // namespace
}  // namespace inlay::package
