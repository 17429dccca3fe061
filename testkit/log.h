// SPDX-License-Identifier: Apache-2.0
#pragma once

// A log that remembers.

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/embedder.h"

namespace inlay::testkit {

// RecordingLog keeps every line of every level. Any thread.
class RecordingLog final : public host::Log {
 public:
  struct Line {
    abi::LogLevel level;
    std::string component;
    std::string text;
  };

  abi::LogLevel level(std::string_view) const override { return level_; }
  void set_level(abi::LogLevel level) { level_ = level; }
  void write(abi::LogLevel level, std::string_view component, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back({level, std::string(component), std::string(message)});
  }

  std::vector<Line> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  // How many lines have `part` in them.
  size_t count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    size_t n = 0;
    for (const Line& line : lines_) n += line.text.find(part) != std::string::npos ? 1 : 0;
    return n;
  }
  // All texts, one in each line.
  std::string text() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const Line& line : lines_) all.append(line.text).append("\n");
    return all;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
  abi::LogLevel level_ = abi::LogLevel::kTrace;
};

}  // namespace inlay::testkit
