// SPDX-License-Identifier: Apache-2.0
#include "coverage/debug_sections.h"

#include <string_view>

#include "inspect/reader.h"

namespace inlay::coverage {
namespace {

constexpr size_t kHead = 8;  // bytes: the magic number and the version
constexpr uint8_t kCustom = 0, kCode = 10;

}  // namespace

ModuleSections module_sections(std::span<const uint8_t> module) {
  ModuleSections found;
  inspect::Reader in(module, 0);
  in.bytes(kHead, "the module's head");
  while (in.ok() && !in.at_end()) {
    const uint8_t id = in.u8("a section");
    const uint32_t size = in.u32("a section's size");
    const size_t offset = in.offset();
    inspect::Reader content(in.bytes(size, "a section"), offset);
    if (id == kCode) found.code = offset;
    if (id != kCustom) continue;
    const std::string_view name = content.name("a section's name");
    const auto rest = content.bytes(content.left(), "a section");
    if (name == ".debug_line") found.debug.debug_line = rest;
    if (name == ".debug_line_str") found.debug.debug_line_str = rest;
    if (name == ".debug_str") found.debug.debug_str = rest;
  }
  return found;
}

}  // namespace inlay::coverage
