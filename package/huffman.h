// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prefix codes as DEFLATE has them (RFC 1951, 3.2.2).

#include <cstdint>
#include <span>
#include <vector>

namespace inlay::package {

struct PrefixCode {
  std::vector<uint8_t> lengths;  // bits of each symbol's code; 0: the symbol does not occur
  std::vector<uint16_t> codes;   // ready to be written with the lowest bit first
};

// The lengths of the best code for symbols that occur `counts` times in which no code is longer than `limit` bits.
// At least two symbols get a code, so that every code is a complete one.
std::vector<uint8_t> code_lengths(std::span<const uint32_t> counts, unsigned limit);

// Gives each symbol its code.
PrefixCode prefix_code(std::vector<uint8_t> lengths);

}  // namespace inlay::package
