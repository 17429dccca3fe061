// SPDX-License-Identifier: Apache-2.0
#pragma once

// CodeCache: modules that were fetched, on disk by their SHA-256, in Inlay's private cache directory. A start without
// network runs from it.
//
//     CodeCache cache("");                              // "": where compiled modules are
//     if (auto code = cache.find(sha256)) ...           // its hash has been checked
//     cache.store(sha256, bytes);

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::proxy::plugins {

using Code = std::shared_ptr<const std::vector<uint8_t>>;

// Thread-safe: files are written under a temporary name and renamed.
class CodeCache {
 public:
  // `directory`: empty for the default (docs/reference/engine.md).
  explicit CodeCache(std::string directory) : directory_(std::move(directory)) {}

  // Null: not there, not readable, or damaged.
  Code find(const std::string& sha256) const;
  // `bytes` have that hash. Errors: kIo, kFailedPrecondition (a directory that others may write to).
  Result<> store(const std::string& sha256, std::string_view bytes) const;

 private:
  const std::string directory_;
};

}  // namespace inlay::proxy::plugins
