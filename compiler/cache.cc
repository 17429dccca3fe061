// SPDX-License-Identifier: Apache-2.0
#include "compiler/cache.h"

#include <filesystem>
#include <system_error>

#include "compiler/compiler.h"
#include "compiler/parse.h"
#include "engine/sha256.h"

namespace inlay::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".aot";
constexpr std::string_view kQuickSuffix = ".quick.aot";

std::string path_of(const std::string& directory, const std::string& key, const std::string& maker,
                    std::string_view suffix) {
  const std::string hash = engine::sha256(std::string(wabt_version()) + "\n" + maker).substr(0, 16);
  return directory + "/" + key + "-" + hash + std::string(suffix);
}

}  // namespace

std::string artifact_path(const std::string& directory, const std::string& key, const std::string& compiler,
                          const std::string& optimization) {
  return path_of(directory, key, compiler + "\n" + optimization, kSuffix);
}

std::string quick_artifact_path(const std::string& directory, const std::string& key, const std::string& compiler) {
  return path_of(directory, key, compiler, kQuickSuffix);
}

bool is_quick_artifact(std::string_view path) {
  return path.ends_with(kQuickSuffix);
}

std::string find_any_artifact(const std::string& directory, const std::string& key) {
  std::error_code failed;
  std::string quick;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(key) || !name.ends_with(kSuffix)) continue;
    if (!is_quick_artifact(name)) return entry.path();
    quick = entry.path();
  }
  return quick;
}

}  // namespace inlay::compiler
