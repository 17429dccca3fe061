// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inlay::compiler {

// TemporaryDirectory is removed with what is in it. Making one removes those that processes left behind that ended
// without notice: a living one holds a lock on its directory.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& parent);
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  // Empty if it could not be made; errno says why.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int lock_ = -1;
};

}  // namespace inlay::compiler
