// SPDX-License-Identifier: Apache-2.0
#include "coverage/report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/temporary_directory.h"
#include "compiler/wat.h"

namespace inlay::coverage {
namespace {

ModuleCoverage small() {
  return {"gate.wasm",
          {{"proxy_on_request_headers", 3}, {"proxy_on_log", 0}, {"proxy_on_done", 0}},
          {{"env.proxy_log", 7}, {"env.proxy_get_property", 0}},
          true,
          {{"std::__2::f(int)", 1}, {"std::g()", 0}, {"gate::<on>", 2}, {"memcpy", 0}}};
}

TEST(CoverageReport, TheTableSaysWhatWasNeverCalled) {
  EXPECT_EQ(text({small()}), R"(coverage of gate.wasm
  callbacks                                 33.3%  1 of 3 called
    proxy_on_request_headers               3
    never called: proxy_on_log, proxy_on_done
  host functions                            50.0%  1 of 2 called
    env.proxy_log                          7
    never called: env.proxy_get_property
  functions                                 50.0%  2 of 4 called
    std                                     50.0%  1 of 2 called
    C                                        0.0%  0 of 1 called
    gate                                   100.0%  1 of 1 called
)");
}

TEST(CoverageReport, AModuleWithoutNamesSaysSo) {
  ModuleCoverage module = small();
  module.has_names = false;
  EXPECT_TRUE(text({module}).ends_with("2 of 4 called\n    they have no names: the module is stripped\n"));
}

TEST(CoverageReport, FunctionsBelongToWhatTheirLanguageGroupsBy) {
  EXPECT_EQ(group_of("std::__2::basic_string<char, std::a>::append(char const*)"), "std");
  EXPECT_EQ(group_of("void inlay::sdk::run<int>(int)"), "inlay");
  EXPECT_EQ(group_of("operator new(unsigned long)"), "C");
  EXPECT_EQ(group_of("<core::str::Utf8Error as core::fmt::Debug>::fmt"), "core");
  EXPECT_EQ(group_of("<&T as core::fmt::Debug>::fmt"), "core");
  EXPECT_EQ(group_of("runtime.mallocgc"), "runtime");
  EXPECT_EQ(group_of("example.com/a/b.(*ctx).OnLog"), "example.com/a/b");
  EXPECT_EQ(group_of("example.com/a/b.Map[go.shape.int]"), "example.com/a/b");
  EXPECT_EQ(group_of("malloc"), "C");
  EXPECT_EQ(group_of(""), "C");
}

TEST(CoverageReport, FilesAreEscaped) {
  EXPECT_NE(html({small()}).find("gate::&lt;on>"), std::string::npos);
  EXPECT_NE(json({small()}).find(R"("name": "gate::<on>")"), std::string::npos);
  const TemporaryDirectory folder("inlay-coverage-");
  ASSERT_TRUE(write_reports({small()}, folder.file("a/b")));
  std::stringstream written;
  written << std::ifstream(folder.file("a/b/coverage.json")).rdbuf();
  EXPECT_EQ(written.str(), json({small()}));
  EXPECT_TRUE(std::ifstream(folder.file("a/b/index.html")).good());
  EXPECT_FALSE(write_reports({small()}, "/dev/null/x"));
}

TEST(CountedModule, KnowsCallbacksImportsAndFunctionsByName) {
  const auto bytes = compiler::wat_to_wasm(R"((module
    (import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 0))
    (func (export "proxy_on_log") (param i32))
    (func $named) (func)))");
  const auto counted = CountedModule::make("m", *bytes);
  ASSERT_TRUE(counted) << counted.error().to_string();
  const ModuleCoverage coverage = (*counted)->coverage();
  ASSERT_EQ(coverage.callbacks.size(), 1u) << "an allocator is none";
  EXPECT_EQ(coverage.callbacks[0].name, "proxy_on_log");
  EXPECT_EQ(coverage.imports.at(0).name, "env.proxy_log");
  ASSERT_EQ(coverage.functions.size(), 4u);
  EXPECT_EQ(coverage.functions[1].name, "proxy_on_log");
  EXPECT_EQ(coverage.functions[3].name, "function 4");
  EXPECT_FALSE(CountedModule::make("m", {}));
}

}  // namespace
}  // namespace inlay::coverage
