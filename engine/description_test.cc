// SPDX-License-Identifier: Apache-2.0
#include "engine/description.h"

#include <gtest/gtest.h>

namespace inlay::engine {
namespace {

Description sample() {
  using enum ValueType;
  Description sample;
  sample.imports = {{"env", "proxy_log", ExternKind::kFunction, {{kI32, kI64, kF32, kF64}, {kI32}}},
                    {{"a\0b", 3}, "", ExternKind::kFunction, {{kExternRef}, {kFuncRef, kI32}}}};
  sample.exports = {{"memory", ExternKind::kMemory, {}},
                    {"table", ExternKind::kTable, {}},
                    {"global", ExternKind::kGlobal, {}},
                    {"\xe2\x82\xac", ExternKind::kFunction, {{}, {kI32, kI32}}}};
  return sample;
}

TEST(DescriptionTest, IsReadAsItWasWritten) {
  const Description before = sample();
  const auto after = read_description(write_description(before));
  ASSERT_TRUE(after) << after.error().to_string();
  ASSERT_EQ(after->imports.size(), 2u);
  ASSERT_EQ(after->exports.size(), 4u);
  for (size_t i = 0; i < before.imports.size(); ++i) {
    EXPECT_EQ(after->imports[i].module, before.imports[i].module);
    EXPECT_EQ(after->imports[i].name, before.imports[i].name);
    EXPECT_EQ(after->imports[i].kind, before.imports[i].kind);
    EXPECT_EQ(after->imports[i].type, before.imports[i].type);
  }
  for (size_t i = 0; i < before.exports.size(); ++i) {
    EXPECT_EQ(after->exports[i].name, before.exports[i].name);
    EXPECT_EQ(after->exports[i].kind, before.exports[i].kind);
    EXPECT_EQ(after->exports[i].type, before.exports[i].type);
  }
  EXPECT_TRUE(read_description(write_description({})));
}

TEST(DescriptionTest, WhatIsCutShortOrLongerOrAlteredIsRefused) {
  const std::string good = write_description(sample());
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(read_description(good.substr(0, size))) << size;
  EXPECT_FALSE(read_description(good + '\0'));
  // Each byte as high as it goes: a length past the end, or no kind and no type; or a letter of a name.
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = '\xff';
    const auto read = read_description(bad);
    if (read) {
      EXPECT_NE(write_description(*read), good) << at;
    }
  }
  EXPECT_FALSE(read_description("\xff\xff\xff\xff"));
}

}  // namespace
}  // namespace inlay::engine
