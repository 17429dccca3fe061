// SPDX-License-Identifier: Apache-2.0
#include "compiler/dynamic_module.h"

#include <gtest/gtest.h>

#include "base/temporary_directory.h"
#include "compiler/wat.h"

namespace inlay::compiler {
namespace {

std::string refusal(const std::vector<LinkedModule>& modules, const std::string& runtime) {
  const TemporaryDirectory directory("inlay-link-");
  const auto made = compile_dynamic_module(modules, {}, runtime, directory.path() + "/out.so");
  return made ? "" : made.error().to_string();
}

TEST(DynamicModule, WhatCannotBeLinkedIsToldBeforeAnythingIsCompiled) {
  const auto wasm = wat_to_wasm("(module)");
  ASSERT_TRUE(wasm);
  EXPECT_EQ(refusal({}, "/dev/null"), "there is no module to link");
  EXPECT_EQ(refusal({{"a", *wasm}, {"b", *wasm}, {"a", *wasm}}, "/dev/null"),
            "a: two modules have this name: Envoy's filter_name chooses by it");
  EXPECT_EQ(
      refusal({{"a", *wasm}}, "/nowhere.o"),
      "/nowhere.o: there is no such file; it comes with Inlay, beside the program or in lib/inlay, where the build had "
      "libcrypto.a, libz.a and libstdc++.a (on Debian: libssl-dev, zlib1g-dev, g++)");
}

}  // namespace
}  // namespace inlay::compiler
