// SPDX-License-Identifier: Apache-2.0
#pragma once

// Digest: FNV-1a, by which two things can be told to be the same without showing either. It keeps no secret from one
// who can try all that it may be of.

#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {

class Digest {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add(uint64_t{text.size()});
  }
  void add(Pairs pairs) {
    for (const abi::Pair& pair : pairs) {
      add(pair.key);
      add(pair.value);
    }
    add(uint64_t{pairs.size()});
  }
  void add(uint64_t number) {
    for (int i = 0; i < 8; ++i, number >>= 8) add_byte(number & 0xff);
  }
  uint64_t value() const { return value_; }

 private:
  void add_byte(uint64_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace inlay::header_augmenting
