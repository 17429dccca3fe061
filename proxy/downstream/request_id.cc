// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/request_id.h"

#include <bit>
#include <random>

#include "base/ascii.h"

namespace inlay::proxy::downstream {

RandomIds::RandomIds() {
  std::random_device seed;
  for (uint64_t& word : state_) word = uint64_t{seed()} << 32 | seed();
  state_[0] |= 1;  // all zeros would stay so
  text_.fill('-');
}

// Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2018), section 3.
uint64_t RandomIds::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::string_view RandomIds::uuid() {
  uint64_t high = (next() & ~uint64_t{0xf000}) | 0x4000;               // version 4
  uint64_t low = (next() & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;  // variant 10
  size_t at = 36;
  for (int i = 0; i < 32; ++i) {
    --at;
    if (at == 23 || at == 18 || at == 13 || at == 8) --at;
    uint64_t& word = i < 16 ? low : high;
    text_[at] = kLowerHex[word & 15];
    word >>= 4;
  }
  return {text_.data(), text_.size()};
}

}  // namespace inlay::proxy::downstream
