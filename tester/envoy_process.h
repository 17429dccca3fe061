// SPDX-License-Identifier: Apache-2.0
#pragma once

// EnvoyProcess: one run of an Envoy binary. It ends with its owner, and with the thread that made it, however that
// ends.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tester/log_tail.h"

namespace inlay::tester {

class EnvoyProcess {
 public:
  // Starts it. Its log goes to a file in `directory`, its admin interface's address to another. All that the logger
  // `logger` has is in it, of others what warns.
  EnvoyProcess(const std::string& binary, const std::string& config, size_t workers, std::string directory,
               const std::string& logger = "wasm");
  ~EnvoyProcess();
  EnvoyProcess(const EnvoyProcess&) = delete;
  EnvoyProcess& operator=(const EnvoyProcess&) = delete;

  // The admin interface's port; 0 as long as there is none.
  uint16_t admin_port();
  // The log's lines that are new. A message may have several; Envoy's "warning" is Inlay's "warn". The main thread is
  // 0.
  std::vector<LogLine> log();
  // Asks it to end (SIGTERM), or ends it (SIGKILL).
  void terminate();
  void end();
  bool ended();
  // Once it has ended: "with status 1", "by signal Segmentation fault"; empty for status 0.
  std::string how() const;

 private:
  void run(std::vector<std::string> words);
  LogLine split(const std::string& record) const;

  std::string directory_;
  std::unique_ptr<FileTail> tail_;
  std::string record_;  // what has come of a message of several lines
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace inlay::tester
