// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/sha256.h"

#include <bit>

namespace inlay::header_augmenting {
namespace {

constexpr uint32_t kConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

uint32_t spread(uint32_t x, int a, int b, int c) {
  return std::rotr(x, a) ^ std::rotr(x, b) ^ std::rotr(x, c);
}

}  // namespace

void Sha256::mix() {
  uint32_t words[64];
  for (size_t i = 0; i < 16; ++i) {
    const unsigned char* const b = block_ + 4 * i;
    words[i] = uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | uint32_t{b[3]};
  }
  for (size_t i = 16; i < 64; ++i) {
    const uint32_t early = words[i - 15];
    const uint32_t late = words[i - 2];
    words[i] = words[i - 16] + words[i - 7] + (std::rotr(early, 7) ^ std::rotr(early, 18) ^ early >> 3) +
               (std::rotr(late, 17) ^ std::rotr(late, 19) ^ late >> 10);
  }
  uint32_t s[8];
  for (size_t i = 0; i < 8; ++i) s[i] = state_[i];
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t first = s[7] + spread(s[4], 6, 11, 25) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + kConstants[i] + words[i];
    const uint32_t second = spread(s[0], 2, 13, 22) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    for (size_t j = 7; j != 0; --j) s[j] = s[j - 1];
    s[4] += first;
    s[0] = first + second;
  }
  for (size_t i = 0; i < 8; ++i) state_[i] += s[i];
}

void Sha256::add(std::string_view text) {
  for (const char c : text) {
    block_[size_++ & 63] = static_cast<unsigned char>(c);
    if ((size_ & 63) == 0) mix();
  }
}

void Sha256::add(uint64_t number) {
  for (int i = 0; i < 8; ++i, number >>= 8) {
    const char byte = static_cast<char>(number & 0xff);
    add({&byte, 1});
  }
}

void Sha256::finish(char (&out)[kSize]) {
  const uint64_t bits = size_ * 8;
  constexpr char kZero = 0;
  add("\x80");
  while ((size_ & 63) != 56) add({&kZero, 1});
  for (int shift = 56; shift >= 0; shift -= 8) {
    const char byte = static_cast<char>(bits >> shift & 0xff);
    add({&byte, 1});
  }
  for (size_t i = 0; i < kSize; ++i) out[i] = static_cast<char>(state_[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
}

}  // namespace inlay::header_augmenting
