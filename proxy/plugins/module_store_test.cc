// SPDX-License-Identifier: Apache-2.0
// A plugin's first start in the interpreter, whose native code comes while it is tried out.
#include "proxy/plugins/module_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <thread>

#include "compiler/wat.h"
#include "stats/metrics.h"

namespace inlay::proxy::plugins {
namespace {

namespace fs = std::filesystem;

// Says "begun" at each start, and at the first does what `first` is.
std::string guest(std::string_view first) {
  return R"((module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
  (import "env" "proxy_get_metric" (func $get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "begun")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 4096))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $log (i32.const 2) (i32.const 1024) (i32.const 5)))
    (drop (call $define (i32.const 0) (i32.const 1024) (i32.const 5) (i32.const 2048)))
    (drop (call $increment (i32.load (i32.const 2048)) (i64.const 1)))
    (drop (call $get (i32.load (i32.const 2048)) (i32.const 2056)))
    (if (i64.gt_u (i64.load (i32.const 2056)) (i64.const 1)) (then (return (i32.const 1))))
    )" + std::string(first) +
         "))";
}

class ZeroClock final : public host::Clock {
 public:
  int64_t system_time() const override { return 0; }
  int64_t monotonic_time() const override { return 0; }
};

// GuestLog counts what guests say, and does something the first time.
class GuestLog final : public host::Log {
 public:
  abi::LogLevel level(std::string_view) const override { return abi::LogLevel::kInfo; }
  void write(abi::LogLevel, std::string_view, std::string_view message) override {
    if (message.find("begun") != message.npos && ++begun == 1) at_first();
  }
  std::function<void()> at_first;
  int begun = 0;
};

class ModuleStoreTest : public testing::Test {
 protected:
  ModuleStoreTest() {
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    const std::string compiler = directory_ + "/cc";
    std::ofstream(compiler) << "#!/bin/sh\nwhile [ ! -e " + directory_ + "/go ]; do sleep 0.01; done\nexec cc \"$@\"\n";
    chmod(compiler.c_str(), 0755);
    setenv("INLAY_CC", compiler.c_str(), 1);
    setenv("XDG_CACHE_HOME", directory_.c_str(), 1);
    log_ = logging::Logger::create({.level = "info", .component_levels = "", .path = directory_ + "/log"}).value();
    said_.at_first = [this] { native_code_comes(); };
  }
  ~ModuleStoreTest() override {
    unsetenv("INLAY_CC");
    unsetenv("XDG_CACHE_HOME");
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  // Lets the compiler go, and waits for what it makes.
  void native_code_comes() const {
    std::ofstream(directory_ + "/go") << "go";
    for (std::ostringstream text; text.str().find("runs code made in haste") == std::string::npos;) {
      text.str({});
      text << std::ifstream(directory_ + "/log").rdbuf();
      std::this_thread::yield();
    }
  }

  Result<std::shared_ptr<host::Plugin>> create(const std::string& text) {
    host::HostOptions options{.metrics = &metrics_, .clock = &clock_, .log = &said_};
    options.limits.call_budget = std::chrono::milliseconds(200);
    host_.emplace(options);
    modules_.emplace(*host_, *log_, engine::EngineKind::kAuto);
    config::WasmPlugin wasm;
    wasm.plugin.name = "plugin";
    wasm.code.filename = "guest.wasm";
    wasm.code.bytes = std::make_shared<const std::vector<uint8_t>>(compiler::wat_to_wasm(text).value());
    return modules_->create_plugin(wasm);
  }

  std::string directory_ = testing::TempDir() + "inlay-modules-XXXXXX";
  std::unique_ptr<logging::Logger> log_;
  GuestLog said_;
  ZeroClock clock_;
  stats::MetricStore metrics_;
  std::optional<host::Host> host_;
  std::optional<ModuleStore> modules_;
};

TEST_F(ModuleStoreTest, AStartWhoseTimeIsOverIsTriedAgainWithNativeCode) {
  const auto plugin = create(guest("(loop (br 0)) (unreachable)"));
  EXPECT_TRUE(plugin) << plugin.error().to_string();
  EXPECT_EQ(said_.begun, 2);
}

TEST_F(ModuleStoreTest, AStartThatTrapsOtherwiseIsTriedOnce) {
  const auto plugin = create(guest("(unreachable)"));
  ASSERT_FALSE(plugin);
  EXPECT_NE(plugin.error().message.find("unreachable executed"), std::string::npos) << plugin.error().to_string();
  EXPECT_EQ(said_.begun, 1);
}

TEST_F(ModuleStoreTest, NothingIsStartedAfterTheStop) {
  said_.at_first = [this] { modules_->stop().request_stop(); };
  const auto stopped = create(guest("(loop (br 0)) (unreachable)"));
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kUnavailable) << stopped.error().to_string();
  EXPECT_EQ(said_.begun, 1);
}

}  // namespace
}  // namespace inlay::proxy::plugins
