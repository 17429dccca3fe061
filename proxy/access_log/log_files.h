// SPDX-License-Identifier: Apache-2.0
#pragma once

// LogFiles: the files that access logs go to, and the one thread that writes them. A worker hands over whole buffers
// and never waits for a disk: when more than the limit is waiting, what comes is dropped and counted.
//
//     LogFiles files({.metrics = metrics, .warn = [](std::string_view what) { ... }});
//     INLAY_TRY(LogFile* file, files.open("/var/log/access.log"));
//     file->write(std::move(lines));      // any thread
//     files.reopen();                     // after a rotation; any thread
//
// The destructor writes all that was handed over; to a pipe that nobody reads it stops after kLongestEnd.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model.h"
#include "stats/metrics.h"

namespace inlay::proxy::access_log {

class LogFile {
 public:
  virtual ~LogFile() = default;
  // Takes whole lines; they stay together. Any thread.
  virtual void write(std::string lines) = 0;
};

class LogFiles {
 public:
  static constexpr std::chrono::seconds kLongestEnd{2};
  struct Options {
    stats::MetricStore& metrics;  // filesystem.*, outlives the files
    // Called on the writing thread when a file begins to fail, and for every failed reopening.
    std::function<void(std::string_view)> warn;
    size_t most_waiting = size_t{64} << 20;  // bytes
  };
  explicit LogFiles(Options options);
  ~LogFiles();
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;

  // Opens the sink for appending, making the file where there is none. The same path gives the same file, which lives
  // as long as this. "/dev/stdout" and "/dev/stderr" are the process's own. Not after the first write. Errors: kIo.
  Result<LogFile*> open(const config::AccessLog& log);
  // Opens every file anew by its path. What was handed over before goes to the old file.
  void reopen();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace inlay::proxy::access_log
