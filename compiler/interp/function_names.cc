// SPDX-License-Identifier: Apache-2.0
#include "compiler/interp/function_names.h"

#include <string_view>

#include "base/function_name.h"
#include "base/printable.h"
#include "compiler/interp/walk.h"

namespace inlay::compiler::interp {
namespace {

constexpr uint8_t kCustomSection = 0;
constexpr uint8_t kFunctionNames = 1;

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
