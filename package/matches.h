// SPDX-License-Identifier: Apache-2.0
#pragma once

// Repetitions in a text, as DEFLATE writes them.

#include <cstdint>
#include <span>
#include <vector>

namespace inlay::package {

// Token is one byte as it stands, or the `length` bytes that stood `distance` bytes before.
struct Token {
  uint16_t length = 0;    // 3 to 258; 0: it is a byte
  uint16_t distance = 0;  // 1 to 32768; the byte if length is 0
};

// Splits `input` into tokens that stand for it.
std::vector<Token> find_matches(std::span<const uint8_t> input);

}  // namespace inlay::package
