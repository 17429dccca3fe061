// SPDX-License-Identifier: Apache-2.0
#include "coverage/source_places.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

#include "coverage/debug_sections.h"
#include "coverage/instrument.h"

namespace inlay::coverage {
namespace {

namespace fs = std::filesystem;

std::string shown(const SourcePlace& place) {
  std::error_code failed;
  const fs::path here = fs::current_path(failed);
  const fs::path near = fs::path(place.path).lexically_relative(here);
  const bool below = !failed && !near.empty() && *near.begin() != "..";
  return (below ? near.string() : place.path) + ":" + std::to_string(place.line);
}

// "  12: f @ 0x2f1"
struct Frame {
  size_t mark = std::string_view::npos;  // where the name ends; of what is no such line: npos
  size_t offset = 0;
};
Frame read_frame(std::string_view line) {
  constexpr std::string_view kMark = " @ 0x";
  const size_t number = std::min(line.find_first_not_of(' '), line.size());
  const size_t colon = line.find_first_not_of("0123456789", number);
  const size_t mark = line.rfind(kMark);
  if (colon == number || colon == std::string_view::npos || line[colon] != ':') return {};
  if (mark == std::string_view::npos) return {};
  const std::string_view digits = line.substr(mark + kMark.size());
  size_t offset = 0;
  const auto [rest, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), offset, 16);
  if (wrong != std::errc() || rest != digits.data() + digits.size()) return {};
  return {mark, offset};
}

}  // namespace

SourcePlaces SourcePlaces::of(std::span<const uint8_t> module) {
  SourcePlaces places;
  const ModuleSections sections = module_sections(module);
  auto table = read_line_table(sections.debug);
  const auto functions = function_code(module);
  if (!table || !functions) return places;
  places.table_ = *std::move(table);
  places.code_ = sections.code;
  std::stable_sort(places.table_.rows.begin(), places.table_.rows.end(),
                   [](const LineRow& a, const LineRow& b) { return a.address < b.address; });
  size_t begin = sections.code;
  for (const FunctionCode& function : *functions) {
    places.functions_.push_back(begin);  // DWARF has the head of a function before its first instruction
    begin = function.end;
  }
  places.functions_.push_back(begin);
  return places;
}

std::optional<SourcePlace> SourcePlaces::at(size_t offset) const {
  const auto behind = std::upper_bound(functions_.begin(), functions_.end(), offset);
  if (behind == functions_.begin() || behind == functions_.end()) return std::nullopt;
  const auto next = std::upper_bound(table_.rows.begin(), table_.rows.end(), offset - code_,
                                     [](uint64_t address, const LineRow& row) { return address < row.address; });
  if (next == table_.rows.begin()) return std::nullopt;
  const LineRow& row = *std::prev(next);
  if (code_ + row.address < *std::prev(behind)) return std::nullopt;
  return SourcePlace{fs::path(table_.files[row.file]).lexically_normal().string(), row.line};
}

std::string SourcePlaces::in_backtrace(std::string_view text) const {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const Frame frame = read_frame(line);
    out.append(line.substr(0, frame.mark));
    const auto place = frame.offset != 0 ? at(frame.offset) : std::nullopt;
    if (place) out.append(" at ").append(shown(*place));
    if (!text.empty()) out += '\n';
  }
  return out;
}

}  // namespace inlay::coverage
