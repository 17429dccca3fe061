// SPDX-License-Identifier: Apache-2.0
#include "proxy/plugins/code_cache.h"

#include "base/files.h"
#include "base/read_file.h"
#include "compiler/cache_directory.h"
#include "config/model.h"
#include "engine/sha256.h"

namespace inlay::proxy::plugins {
namespace {

std::string path_of(const std::string& directory, const std::string& sha256) {
  return directory + "/" + sha256 + ".wasm";
}

}  // namespace

Code CodeCache::find(const std::string& sha256) const {
  const auto directory = compiler::find_cache_directory(directory_);
  if (!directory) return nullptr;
  const auto bytes = read_file(path_of(*directory, sha256), config::kLargestModule);
  if (!bytes || engine::sha256(*bytes) != sha256) return nullptr;
  return std::make_shared<const std::vector<uint8_t>>(bytes->begin(), bytes->end());
}

Result<> CodeCache::store(const std::string& sha256, std::string_view bytes) const {
  INLAY_TRY(const std::string directory, compiler::make_cache_directory(directory_));
  auto kept = replace_file(path_of(directory, sha256), bytes, kPrivate);
  if (!kept) kept.error().message.insert(0, "the fetched module is not kept: ");
  return kept;
}

}  // namespace inlay::proxy::plugins
