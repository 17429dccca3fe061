// SPDX-License-Identifier: Apache-2.0
#include "inspect/wasm_opt.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "inspect/inspect_fixture.h"

namespace inlay::inspect {
namespace {

using std::chrono::seconds;

// A program that stands in for wasm-opt: a shell script.
std::string script(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "inlay-" + std::to_string(::getpid()) + "-" + name;
  std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

WasmOpt run(const std::string& program, seconds limit = seconds(60)) {
  const auto module = wasm(kSmallProxy);
  const auto layout = read_layout(module);
  EXPECT_TRUE(layout);
  return run_wasm_opt(module, *layout, program, limit);
}

bool has(const std::vector<std::string>& flags, const std::string& flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

TEST(WasmOpt, FlagsAllowWhatTheModuleUsesOnly) {
  const auto flags_of = [](std::string_view text) { return wasm_opt_flags(*read_layout(wasm(text))); };
  const auto plain = flags_of("(module)");
  EXPECT_FALSE(std::any_of(plain.begin(), plain.end(), [](const auto& f) { return f.starts_with("--enable-"); }));
  EXPECT_TRUE(has(plain, "--low-memory-unused"));
  EXPECT_TRUE(has(flags_of("(module (func (param v128)))"), "--enable-simd"));
  EXPECT_FALSE(has(flags_of("(module (memory 1) (data (i32.const 8) \"low\"))"), "--low-memory-unused"));
}

TEST(WasmOpt, OneThatIsNotThereIsSkipped) {
  const WasmOpt result = run("no-such-wasm-opt");
  EXPECT_EQ(result.outcome, WasmOpt::Outcome::kSkipped);
  EXPECT_NE(result.reason.find("no-such-wasm-opt"), std::string::npos);
}

TEST(WasmOpt, ItsOutputIsMeasured) {
  // The last two arguments are -o and the output.
  const WasmOpt result = run(script("good", "for last; do :; done; printf 12345 > \"$last\""));
  EXPECT_EQ(result.outcome, WasmOpt::Outcome::kRan) << result.reason;
  EXPECT_EQ(result.size, 5u);
}

TEST(WasmOpt, ItsFailureIsToldInItsWords) {
  const WasmOpt result = run(script("bad", "echo 'Fatal: no good' >&2; exit 1"));
  EXPECT_EQ(result.outcome, WasmOpt::Outcome::kFailed);
  EXPECT_EQ(result.reason, "it failed: Fatal: no good");
}

TEST(WasmOpt, OneThatHangsIsEnded) {
  const WasmOpt result = run(script("slow", "exec sleep 600"), seconds(1));
  EXPECT_EQ(result.outcome, WasmOpt::Outcome::kFailed);
  EXPECT_EQ(result.reason, "it was not done after 1 s");
}

}  // namespace
}  // namespace inlay::inspect
