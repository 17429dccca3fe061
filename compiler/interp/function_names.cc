// SPDX-License-Identifier: Apache-2.0
#include "compiler/interp/function_names.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/function_name.h"
#include "base/printable.h"

namespace inlay::compiler::interp {
namespace {

constexpr uint8_t kCustomSection = 0;
constexpr uint8_t kFunctionNames = 1;

// Walks through bytes; past their end there are zeros and nothing.
class Walk {
 public:
  explicit Walk(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return bytes_.empty(); }
  uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    return first;
  }
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
  std::string_view text() { return take(number()); }

 private:
  std::string_view bytes_;
};

}  // namespace

std::string function_name_section(const uint8_t* module, size_t size) {
  Walk in({reinterpret_cast<const char*>(module), size});
  in.take(8);  // the magic number and the version
  while (!in.at_end()) {
    const uint8_t id = in.byte();
    Walk section(in.text());
    if (id != kCustomSection || section.text() != "name") continue;
    while (!section.at_end()) {
      const uint8_t kind = section.byte();
      const std::string_view part = section.text();
      if (kind == kFunctionNames) return std::string(part);
    }
  }
  return {};
}

std::string function_name(const std::string& section, uint32_t index) {
  Walk in(section);
  in.number();  // how many there are
  while (!in.at_end()) {
    const uint32_t of = in.number();
    const std::string_view name = in.text();
    if (of == index && !name.empty()) return one_line(readable_function_name(std::string(name)));
  }
  return "function " + std::to_string(index);
}

}  // namespace inlay::compiler::interp
