// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/testdata_modules.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "compiler/wat.h"

namespace inlay::deploy {

namespace {

constexpr std::string_view kGood = R"((module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 0))
  (data (i32.const 0) "header_providing_service_cluster")))";
constexpr std::string_view kForeign = R"((module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 0))))";

std::string assemble(std::string_view text) {
  const auto bytes = compiler::wat_to_wasm(text);
  EXPECT_TRUE(bytes);
  return bytes ? std::string(bytes->begin(), bytes->end()) : "";
}

// The module with a custom section that makes it larger than 1 MiB.
std::string enlarged(std::string module) {
  constexpr size_t kMiB = size_t{1} << 20;
  module += '\0';                                // custom
  module += std::string("\x81\x80\xc0\x00", 4);  // 1 MiB + 1 byte in LEB128
  module += '\0';                                // a name of no letters
  return module + std::string(kMiB, 'x');
}

}  // namespace

TestModules::TestModules() {
  write("good.wasm", assemble(kGood));
  write("foreign.wasm", assemble(kForeign));
  write("other.wasm", assemble("(module)"));
  write("junk.wasm", "this is no module");
  write("empty.wasm", "");
  write("large.wasm", enlarged(assemble(kGood)));
  write("a name.wasm", assemble(kGood));
}

void TestModules::write(std::string_view name, std::string_view content) const {
  std::ofstream(path(name), std::ios::binary) << content;
}

TEST(TestModules, AreThere) {
  const TestModules modules;
  EXPECT_GT(std::filesystem::file_size(modules.path("large.wasm")), size_t{1} << 20);
}

}  // namespace inlay::deploy
