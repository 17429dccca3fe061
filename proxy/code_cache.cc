// SPDX-License-Identifier: Apache-2.0
#include "proxy/code_cache.h"

#include "base/files.h"
#include "engine/aot/artifact.h"
#include "proxy/config/model.h"
#include "proxy/config/read_file.h"

namespace inlay::proxy {
namespace {

std::string path_of(const std::string& directory, const std::string& sha256) {
  return directory + "/" + sha256 + ".wasm";
}

}  // namespace

std::string sha256_of(std::string_view bytes) {
  return engine::aot::sha256(bytes);
}

Code CodeCache::find(const std::string& sha256) const {
  const auto directory = engine::aot::find_cache_directory(directory_);
  if (!directory) return nullptr;
  const auto bytes = config::read_file(path_of(*directory, sha256), config::kLargestModule);
  if (!bytes || sha256_of(*bytes) != sha256) return nullptr;
  return std::make_shared<const std::vector<uint8_t>>(bytes->begin(), bytes->end());
}

Result<> CodeCache::store(const std::string& sha256, std::string_view bytes) const {
  INLAY_TRY(const std::string directory, engine::aot::make_cache_directory(directory_));
  auto kept = replace_file(path_of(directory, sha256), bytes, kPrivate);
  if (!kept) kept.error().message.insert(0, "the fetched module is not kept: ");
  return kept;
}

}  // namespace inlay::proxy
