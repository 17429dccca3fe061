// SPDX-License-Identifier: Apache-2.0
#include "coverage/source_lines.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "coverage/debug_sections.h"
#include "coverage/instrument.h"
#include "coverage/line_table.h"

namespace inlay::coverage {
namespace {

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
  const ModuleSections sections = module_sections(module);
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
