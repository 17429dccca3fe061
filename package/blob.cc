// SPDX-License-Identifier: Apache-2.0
#include "package/blob.h"

#include <algorithm>

#include "base/ascii.h"
#include "engine/sha256.h"

namespace inlay::package {
namespace {

constexpr std::string_view kAlgorithm = "sha256:";

}  // namespace

std::string digest_of(std::string_view content) {
  return std::string(kAlgorithm) + engine::sha256(content);
}

bool is_digest(std::string_view text) {
  if (!text.starts_with(kAlgorithm)) return false;
  text.remove_prefix(kAlgorithm.size());
  constexpr size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of(kLowerHex) == std::string_view::npos;
}

std::string blob_path(std::string_view digest) {
  return "blobs/sha256/" + std::string(digest.substr(kAlgorithm.size()));
}

}  // namespace inlay::package
