// SPDX-License-Identifier: Apache-2.0
#pragma once

// Walk goes through the bytes of a module; past their end there are zeros and nothing. C++17, as wabt_machine.h is.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace inlay::compiler::interp {

class Walk {
 public:
  explicit Walk(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return bytes_.empty(); }
  size_t left() const { return bytes_.size(); }
  uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    return first;
  }
  // An unsigned number (LEB128).
  uint32_t number() {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35 && !at_end(); shift += 7) {
      const uint8_t next = byte();
      value |= static_cast<uint32_t>(next & 0x7f) << std::min(shift, 31u);
      if ((next & 0x80) == 0) break;
    }
    return value;
  }
  std::string_view take(uint32_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  // A size and that many bytes.
  std::string_view text() { return take(number()); }

 private:
  std::string_view bytes_;
};

}  // namespace inlay::compiler::interp
