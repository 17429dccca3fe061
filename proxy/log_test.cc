// SPDX-License-Identifier: Apache-2.0
#include "proxy/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace inlay::proxy {
namespace {

class LoggerFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "inlay-log-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    log_ = Logger::create({.level = "info", .component_levels = "", .path = folder_ / "log"}).value();
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  // The lines from their component on: "[wasm] message".
  std::string lines() const {
    std::ifstream file(folder_ / "log");
    std::string out;
    for (std::string line; std::getline(file, line);) out += line.substr(line.find("[info]") + 6) + "\n";
    return out;
  }

  std::filesystem::path folder_;
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

}  // namespace
}  // namespace inlay::proxy
