// SPDX-License-Identifier: Apache-2.0
#include "coverage/source_lines.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "coverage/instrument.h"
#include "coverage/line_table.h"
#include "inspect/reader.h"

namespace inlay::coverage {
namespace {

constexpr size_t kHead = 8;  // bytes: the magic number and the version
constexpr uint8_t kCustom = 0, kCode = 10;

struct Sections {
  DebugSections debug;
  size_t code = 0;  // offset of the code section's content
};

Sections sections_of(std::span<const uint8_t> module) {
  Sections found;
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

// The instruction that a statement at `offset` begins with. A function's first one is at its head for DWARF.
std::optional<size_t> instruction_at(const std::vector<FunctionCode>& functions, size_t offset) {
  const auto of = std::upper_bound(functions.begin(), functions.end(), offset,
                                   [](size_t at, const FunctionCode& f) { return at < f.end; });
  if (of == functions.end()) return std::nullopt;
  if (offset <= of->instructions.front()) return of->instructions.front();
  if (!std::binary_search(of->instructions.begin(), of->instructions.end(), offset)) return std::nullopt;
  return offset;
}

}  // namespace

Result<std::vector<SourceFile>> source_lines(std::span<const uint8_t> module) {
  INLAY_TRY(const std::vector<FunctionCode> functions, function_code(module));
  const Sections sections = sections_of(module);
  INLAY_TRY(const LineTable table, read_line_table(sections.debug));
  std::map<std::string, std::map<uint32_t, std::vector<size_t>>> files;
  for (const LineRow& row : table.rows) {
    const auto place = instruction_at(functions, sections.code + row.address);
    if (place) files[std::filesystem::path(table.files[row.file]).lexically_normal()][row.line].push_back(*place);
  }
  std::vector<SourceFile> found;
  for (auto& [path, lines] : files) {
    SourceFile file{path, {}};
    for (auto& [line, places] : lines) {
      std::sort(places.begin(), places.end());
      places.erase(std::unique(places.begin(), places.end()), places.end());
      file.lines.push_back({line, std::move(places)});
    }
    found.push_back(std::move(file));
  }
  return found;
}

bool is_own_source(const std::string& path) {
  std::error_code ignored;
  return !path.starts_with("/usr/") && path.find("/.cargo/") == std::string::npos &&
         std::filesystem::is_regular_file(path, ignored);
}

}  // namespace inlay::coverage
