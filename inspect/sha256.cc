// SPDX-License-Identifier: Apache-2.0
#include "inspect/sha256.h"

#include <openssl/sha.h>

#include <array>

namespace inlay::inspect {

std::string sha256(std::span<const uint8_t> bytes) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(bytes.data(), bytes.size(), digest.data());
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return text;
}

}  // namespace inlay::inspect
