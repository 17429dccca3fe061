// SPDX-License-Identifier: Apache-2.0
// A module from an artifact alone: what it says of itself, and what is refused.
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "engine/engine_fixture.h"
#include "engine/sha256.h"

namespace inlay::engine {
namespace {

constexpr std::string_view kModule = R"((module
  (import "env" "twice" (func $twice (param i64) (result i64)))
  (memory (export "memory") 1)
  (global $begun (mut i64) (i64.const 0))
  (func $begin (global.set $begun (call $twice (i64.const 20))))
  (start $begin)
  (func (export "answer") (param i64) (result i64) (i64.add (global.get $begun) (local.get 0)))))";

class OpenTest : public testing::Test {
 protected:
  void SetUp() override {
    compiler::LoadOptions options;
    options.optimization = 0;
    const auto compiled = compiler::compile_module(bytes_, options, file_);
    ASSERT_TRUE(compiled) << compiled.error().to_string();
  }

  // Opens and must fail; the message.
  std::string refusal(ErrorCode code, std::string_view sha256 = {}) {
    const auto module = Module::open(file_, sha256);
    EXPECT_FALSE(module);
    if (module) return {};
    EXPECT_EQ(module.error().code, code) << module.error().message;
    EXPECT_EQ(module.error().where, file_);
    return module.error().message;
  }

  std::string read() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(file_, std::ios::binary) << bytes; }

  const TempDir dir_;
  const std::vector<uint8_t> bytes_ = wasm(kModule);
  const std::string file_ = dir_.path() + "/module.aot";
};

TEST_F(OpenTest, RunsAndKnowsImportsAndExports) {
  const auto module = Module::open(file_);
  ASSERT_TRUE(module) << module.error().to_string();
  EXPECT_EQ((*module)->kind(), EngineKind::kAot);
  EXPECT_EQ((*module)->tier(), Tier::kOptimized);
  EXPECT_EQ((*module)->fallback_reason(), "");
  ASSERT_EQ((*module)->imports().size(), 1u);
  EXPECT_EQ((*module)->imports()[0].type.to_string(), "(i64) -> i64");
  ASSERT_NE((*module)->find_export("answer"), nullptr);
  EXPECT_EQ((*module)->find_export("memory")->kind, ExternKind::kMemory);
  const auto instance = Instance::create(*module, host_functions(), nullptr, {});
  ASSERT_TRUE(instance) << instance.error().to_string();
  EXPECT_EQ((*instance)->memory().size(), 65536u);
  EXPECT_EQ(*(*instance)->call(*(*instance)->function<uint64_t(uint64_t)>("answer"), 2u), 42u);
  EXPECT_FALSE(Instance::create(*module, {}, nullptr, {})) << "an import is missing";
}

TEST_F(OpenTest, ThreadsRunTheSameArtifact) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto module = Module::open(file_);
      ASSERT_TRUE(module) << module.error().to_string();
      const auto instance = Instance::create(*module, host_functions(), nullptr, {});
      ASSERT_TRUE(instance);
      EXPECT_EQ(*(*instance)->call(*(*instance)->function<uint64_t(uint64_t)>("answer"), 3u), 43u);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(OpenTest, AskedForACertainModuleItIsThatOne) {
  EXPECT_TRUE(Module::open(file_, sha256(bytes_)));
  EXPECT_EQ(refusal(ErrorCode::kInvalidArgument, sha256("another")), "made from another module");
}

TEST_F(OpenTest, WhatIsNotThereIsNotFound) {
  ASSERT_EQ(unlink(file_.c_str()), 0);
  EXPECT_EQ(refusal(ErrorCode::kNotFound), "there is no such file");
}

TEST_F(OpenTest, WhatOthersMayWriteIsRefused) {
  ASSERT_EQ(chmod(file_.c_str(), 0666), 0);
  EXPECT_NE(refusal(ErrorCode::kFailedPrecondition).find("only its owner may write"), std::string::npos);
  ASSERT_EQ(chmod(file_.c_str(), 0600), 0);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0777), 0);
  EXPECT_NE(refusal(ErrorCode::kFailedPrecondition).find("others may write to its directory"), std::string::npos);
}

TEST_F(OpenTest, OfAnotherVersionOrDamagedItIsRefused) {
  const std::string good = read();
  const size_t trailer = good.rfind("\nINLAY-ARTIFACT\n") + 16;
  const auto with = [&](size_t at) {
    std::string bad = good;
    bad[at] = bad[at] == '0' ? '1' : '0';
    write(bad);
  };
  with(trailer + 64);  // the key
  EXPECT_EQ(refusal(ErrorCode::kInvalidArgument), "made for another version of Inlay, or another kind of machine");
  with(trailer);  // the module's hash, which the key is made from
  EXPECT_EQ(refusal(ErrorCode::kInvalidArgument), "made for another version of Inlay, or another kind of machine");
  with(trailer + 128);  // the checksum
  EXPECT_EQ(refusal(ErrorCode::kInvalidArgument), "damaged: its checksum is wrong");
  with(good.size() / 2);
  EXPECT_EQ(refusal(ErrorCode::kInvalidArgument), "damaged: its checksum is wrong");
  for (const std::string& bad : {std::string(), std::string("text"), good.substr(0, good.size() - 1)}) {
    write(bad);
    EXPECT_EQ(refusal(ErrorCode::kInvalidArgument), "not an artifact, or cut short");
  }
  write(good);
  EXPECT_TRUE(Module::open(file_));
}

}  // namespace
}  // namespace inlay::engine
