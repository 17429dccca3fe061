// SPDX-License-Identifier: Apache-2.0
#pragma once

// FollowedFile: the content of a file as it is now, shared by all workers. The main thread reads it anew, whoever
// answers with it takes what was read last.

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "config/model.h"

namespace inlay::proxy::router {

class FollowedFile {
 public:
  // `content` is what the file had when the configuration was read. `file` outlives this.
  FollowedFile(const config::WatchedFile& file, std::string content);

  const config::WatchedFile& file() const { return file_; }
  // Any thread.
  std::shared_ptr<const std::string> content() const;
  // Reads the file; blocks. Errors: those of read_file, larger than its limit included; then the content stays what it
  // was. No message has any of the content.
  Result<Unit> read_again();

 private:
  const config::WatchedFile& file_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::string> content_;
};

}  // namespace inlay::proxy::router
