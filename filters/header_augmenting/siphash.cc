// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/siphash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace inlay::header_augmenting {
namespace {

struct State {
  uint64_t v0;
  uint64_t v1;
  uint64_t v2;
  uint64_t v3;

  void rounds(int count) {
    for (; count != 0; --count) {
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
  }
  void add(uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  uint64_t all() const { return v0 ^ v1 ^ v2 ^ v3; }
};

}  // namespace

Hash128 sip_hash(const Hash128& key, std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  State state{key.a ^ 0x736f6d6570736575, key.b ^ 0x646f72616e646f6d ^ 0xee, key.a ^ 0x6c7967656e657261,
              key.b ^ 0x7465646279746573};
  const char* at = text.data();
  const char* const end = at + (text.size() & ~size_t{7});
  for (; at != end; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state.add(word);
  }
  uint64_t last = uint64_t{text.size()} << 56;
  for (size_t i = 0; i < (text.size() & 7); ++i) last |= uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  state.add(last);
  state.v2 ^= 0xee;
  state.rounds(4);
  const uint64_t first = state.all();
  state.v1 ^= 0xdd;
  state.rounds(4);
  return {first, state.all()};
}

}  // namespace inlay::header_augmenting
