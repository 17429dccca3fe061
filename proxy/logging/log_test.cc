// SPDX-License-Identifier: Apache-2.0
#include "proxy/logging/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/temporary_directory.h"

namespace inlay::proxy::logging {
namespace {

class LoggerFileTest : public testing::Test {
 protected:
  void SetUp() override {
    log_ = Logger::create({.level = "info", .component_levels = "", .path = folder_ / "log", .format = {}}).value();
  }
  // The lines from their component on: "[wasm] message".
  std::string lines() const {
    std::ifstream file(folder_ / "log");
    std::string out;
    for (std::string line; std::getline(file, line);) out += line.substr(line.find("[info]") + 6) + "\n";
    return out;
  }

  const TemporaryDirectory scratch_{"inlay-log-"};
  const std::filesystem::path folder_{scratch_.path()};
  std::unique_ptr<Logger> log_;
};

TEST_F(LoggerFileTest, AMessageIsOneLine) {
  log_->info("wasm", "plain \xc3\xa9");
  log_->info("wasm", "a\n[2026-01-01 00:00:00.000][1][info][main] ended\r\x1b[2K\xff");
  log_->info("wasm", "its own end\r\n\n");
  log_->info("wasm", "\n");
  log_->info("nobody", "%v {} \\n");
  EXPECT_EQ(lines(),
            "[wasm] plain \xc3\xa9\n"
            "[wasm] a\\n[2026-01-01 00:00:00.000][1][info][main] ended\\r\\x1b[2K\\xff\n"
            "[wasm] its own end\n"
            "[wasm] \n"
            "[main] %v {} \\n\n");
}

TEST_F(LoggerFileTest, LevelsAreByComponent) {
  ASSERT_TRUE(log_->set_level("wasm", "error"));
  log_->info("wasm", "not written");
  log_->info("main", "written");
  EXPECT_EQ(lines(), "[main] written\n");
}

TEST_F(LoggerFileTest, TheFormatIsThatOfEnvoysFlag) {
  const auto written = [&](const std::string& format) {
    const std::filesystem::path path = folder_ / "formatted";
    std::filesystem::remove(path);
    Logger::create({.level = "info", .component_levels = "", .path = path, .format = format})
        .value()
        ->info("wasm", "say \"a\nb\"");
    std::stringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  };
  EXPECT_EQ(written("%l\tenvoy %n %g:%#\t%v"), "info\tenvoy wasm \tsay \"a\\nb\"\n");
  EXPECT_EQ(written("{\"m\":\"%j\"}"), "{\"m\":\"say \\\"a\\\\nb\\\"\"}\n");
  EXPECT_EQ(written("%_%_"), "say \"a\\nb\"say \"a\\nb\"\n");
  EXPECT_EQ(written("%%_ %%v %%%n %%%_"), "%_ %v %wasm %say \"a\\nb\"\n");
  EXPECT_EQ(written("%%g:%%# %g:%#%n%g:%#"), "%g:%# wasm\n");
}

TEST_F(LoggerFileTest, EnvoysComponentsAreIgnoredAloud) {
  const auto log = Logger::create(
      {.level = "info", .component_levels = "misc:error,wasm:debug,router:off", .path = folder_ / "log", .format = {}});
  ASSERT_TRUE(log);
  EXPECT_EQ((*log)->level("wasm"), abi::LogLevel::kDebug);
  EXPECT_EQ(lines(), "[main] components of Envoy's without a log of their own here: misc, router\n");
  for (const char* wrong : {"misc:loud", "nonsense:debug", "misc"})
    EXPECT_FALSE(Logger::create({.level = "info", .component_levels = wrong, .path = folder_ / "log", .format = {}}))
        << wrong;
}

}  // namespace
}  // namespace inlay::proxy::logging
