// SPDX-License-Identifier: Apache-2.0
#include "base/function_name.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(FunctionName, IsReadable) {
  EXPECT_EQ(readable_function_name("_ZN5inlay4gateEv"), "inlay::gate()");
  EXPECT_EQ(readable_function_name("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
  EXPECT_EQ(readable_function_name("core::fmt::write::h0123456789abcdef"), "core::fmt::write");
  EXPECT_EQ(readable_function_name("main.main"), "main.main");
  EXPECT_EQ(readable_function_name("_Znonsense"), "_Znonsense");
  EXPECT_EQ(readable_function_name(""), "");
}

}  // namespace
}  // namespace inlay
