// SPDX-License-Identifier: Apache-2.0
#include "base/temporary_directory.h"

#include <stdlib.h>

#include <filesystem>

namespace inlay {

TemporaryDirectory::TemporaryDirectory(std::string_view prefix, std::string parent) {
  std::error_code failed;
  if (parent.empty()) parent = std::filesystem::temp_directory_path(failed).string();
  std::string path = std::move(parent) + "/" + std::string(prefix) + "XXXXXX";
  if (!failed && mkdtemp(path.data()) != nullptr) path_ = std::move(path);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace inlay
