// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 (FIPS 180-4), small rather than quick.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace inlay::header_augmenting {

class Sha256 {
 public:
  static constexpr size_t kSize = 32;

  void add(std::string_view text);
  // add: its eight bytes, little-endian.
  void add(uint64_t number);
  // finish: the digest of all that was added; once.
  void finish(char (&out)[kSize]);

 private:
  void mix();

  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  unsigned char block_[64];
  uint64_t size_ = 0;
};

}  // namespace inlay::header_augmenting
