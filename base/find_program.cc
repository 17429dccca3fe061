// SPDX-License-Identifier: Apache-2.0
#include "base/find_program.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace inlay {

std::string find_program(std::string_view name) {
  const auto runs = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string_view::npos) {
    const std::string path = std::filesystem::absolute(name).string();
    return runs(path) ? path : "";
  }
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const size_t end = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + std::string(name);
    if (candidate.starts_with('/') && runs(candidate)) return candidate;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return "";
}

}  // namespace inlay
