// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/siphash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace inlay::header_augmenting {

// All of it is one loop with one round in it, whose state stands in locals: in a guest, a state in memory takes twice
// as long.
Hash128 sip_hash(const Hash128& key, std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t v0 = key.a ^ 0x736f6d6570736575;
  uint64_t v1 = key.b ^ 0x646f72616e646f6d ^ 0xee;
  uint64_t v2 = key.a ^ 0x6c7967656e657261;
  uint64_t v3 = key.b ^ 0x7465646279746573;
  const size_t words = text.size() / 8;
  uint64_t first = 0;
  for (size_t step = 0; step < words + 3; ++step) {  // the words, what is left, and the two halves of the hash
    uint64_t word = 0;
    int rounds = 1;
    if (step < words) {
      std::memcpy(&word, text.data() + 8 * step, 8);
    } else if (step == words) {
      word = uint64_t{text.size()} << 56;
      for (size_t i = 0; i < (text.size() & 7); ++i)
        word |= uint64_t{static_cast<unsigned char>(text[8 * words + i])} << (8 * i);
    } else {
      rounds = 3;
      if (step == words + 1) {
        v2 ^= 0xee;
      } else {
        first = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xdd;
      }
    }
    v3 ^= word;
    for (; rounds != 0; --rounds) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32) + v3;
      v2 += v1;
      v3 = std::rotl(v3, 21) ^ v0;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
    v0 ^= word;
  }
  return {first, v0 ^ v1 ^ v2 ^ v3};
}

}  // namespace inlay::header_augmenting
