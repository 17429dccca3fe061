// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace inlay {

// TemporaryDirectory is a new, private directory, which is removed with what is in it.
//
//     const TemporaryDirectory scratch("inlay-inspect-");
//     if (scratch.path().empty()) return Error{ErrorCode::kIo, std::strerror(errno), ""};
class TemporaryDirectory {
 public:
  // In `parent`, or, if that is empty, where the system has such things ($TMPDIR, /tmp). Its name is `prefix` and six
  // characters.
  explicit TemporaryDirectory(std::string_view prefix, std::string parent = {});
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  // Empty if it could not be made; errno says why.
  const std::string& path() const { return path_; }
  // The path of `name` in it.
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace inlay
