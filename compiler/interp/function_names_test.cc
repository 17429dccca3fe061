// SPDX-License-Identifier: Apache-2.0
#include "compiler/interp/function_names.h"

#include <gtest/gtest.h>

namespace inlay::compiler::interp {
namespace {

// Two functions: 0 has the name "_ZN1a1bEv", 1 none.
constexpr uint8_t kNamed[] = {0, 'a', 's', 'm', 1, 0,   0,   0,   0,   19,  4,   'n', 'a', 'm', 'e',
                              1, 12,  1,   0,   9, '_', 'Z', 'N', '1', 'a', '1', 'b', 'E', 'v'};

TEST(FunctionNames, AreThoseOfTheNameSection) {
  const std::string section = function_name_section(kNamed, sizeof kNamed);
  EXPECT_EQ(section.size(), 12u);
  EXPECT_EQ(function_name(section, 0), "a::b()");
  EXPECT_EQ(function_name(section, 1), "function 1");
}

TEST(FunctionNames, WhatIsCutShortHasNone) {
  for (size_t size = 0; size < sizeof kNamed; ++size) {
    const std::string section = function_name_section(kNamed, size);
    EXPECT_FALSE(function_name(section, 7).empty());
  }
  EXPECT_EQ(function_name("\xff\xff\xff\xff\xff\xff", 0), "function 0");
}

}  // namespace
}  // namespace inlay::compiler::interp
