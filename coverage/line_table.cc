// SPDX-License-Identifier: Apache-2.0
#include "coverage/line_table.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "inspect/reader.h"

namespace inlay::coverage {
namespace {

using inspect::Reader;

// DWARF 5, section 7.22, and 7.5.6 for the forms.
enum Standard : uint8_t {
  kExtended = 0,
  kCopy = 1,
  kAdvancePc = 2,
  kAdvanceLine = 3,
  kSetFile = 4,
  kNegateStatement = 6,
  kConstAddPc = 8,
  kFixedAdvancePc = 9,
};
enum Extended : uint8_t { kEndSequence = 1, kSetAddress = 2 };
enum Content : uint8_t { kPath = 1, kDirectoryIndex = 2 };
enum Form : uint8_t {
  kBlock2 = 0x05,  // data2
  kData4 = 0x06,
  kData8 = 0x07,
  kString = 0x08,
  kBlock = 0x09,
  kData1 = 0x0b,
  kStrp = 0x0e,
  kUdata = 0x0f,
  kData16 = 0x1e,
  kLineStrp = 0x1f,
};

std::string string_at(std::span<const uint8_t> section, uint64_t offset) {
  if (offset >= section.size()) return "";
  const auto begin = section.begin() + static_cast<std::ptrdiff_t>(offset);
  return {begin, std::find(begin, section.end(), 0)};
}

uint64_t fixed(Reader& in, size_t size) {
  uint64_t value = 0;
  const auto bytes = in.bytes(size, "a number");
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

std::string c_string(Reader& in) {
  std::string text;
  while (in.ok()) {
    const uint8_t c = in.u8("a text");
    if (c == 0 || !in.ok()) break;
    text += static_cast<char>(c);
  }
  return text;
}

struct Header {
  uint16_t version = 0;
  size_t offset_size = 4;
  uint8_t min_instruction_length = 1;
  bool default_statement = true;
  int8_t line_base = 0;
  uint8_t line_range = 1;
  uint8_t opcode_base = 1;
  std::vector<uint8_t> lengths;  // of the standard opcodes, from 1 on
  std::vector<std::string> folders;
  std::vector<uint32_t> files;  // of the table of files that all units share
  size_t first_file = 1;        // the number of files[0]
};

class TableReader {
 public:
  explicit TableReader(const DebugSections& sections) : sections_(sections) {}

  Result<LineTable> read() {
    Reader in(sections_.debug_line, 0);
    while (in.ok() && !in.at_end()) unit(in);
    if (!in.ok()) return in.error();
    return std::move(table_);
  }

 private:
  void unit(Reader& in) {
    Header header;
    uint64_t length = fixed(in, 4);
    if (length == 0xffffffff) {
      length = fixed(in, 8);
      header.offset_size = 8;
    }
    const size_t begin = in.offset();
    if (length > in.left()) return in.fail("a unit is longer than what there is, which ends");
    Reader unit(in.bytes(length, "a unit"), begin);
    read_header(unit, header);
    if (unit.ok()) program(unit, header);
    if (!unit.ok()) in.fail("a unit cannot be read: " + unit.error().message + ", and the next one is");
  }

  void read_header(Reader& in, Header& header) {
    header.version = static_cast<uint16_t>(fixed(in, 2));
    if (in.ok() && (header.version < 2 || header.version > 5))
      return in.fail("a version that is none of 2 to 5 is before it,");
    if (header.version >= 5) in.bytes(2, "the sizes of addresses");
    const uint64_t length = fixed(in, header.offset_size);
    if (length > in.left()) return in.fail("a head is longer than its unit, which ends");
    const size_t begin = in.offset();
    Reader head(in.bytes(length, "a head"), begin);
    header.min_instruction_length = head.u8("a length");
    if (header.version >= 4) head.u8("operations");
    header.default_statement = head.u8("a flag") != 0;
    header.line_base = static_cast<int8_t>(head.u8("a base"));
    header.line_range = head.u8("a range");
    header.opcode_base = head.u8("a base");
    if (head.ok() && (header.line_range == 0 || header.opcode_base == 0)) head.fail("a range of 0 is before it,");
    for (int i = 1; i < header.opcode_base; ++i) header.lengths.push_back(head.u8("a length"));
    if (header.version >= 5) {
      header.first_file = 0;
      for (auto& [path, unused] : entries(head)) header.folders.push_back(std::move(path));
      for (const auto& [path, folder] : entries(head)) header.files.push_back(file(header, path, folder));
    } else {
      old_entries(head, header);
    }
    if (!head.ok()) in.fail("a head cannot be read: " + head.error().message + ", and what follows is");
  }

  // Version 5 describes them first.
  std::vector<std::pair<std::string, uint64_t>> entries(Reader& in) {
    std::vector<std::pair<uint64_t, uint64_t>> format;
    const uint8_t kinds = in.u8("a number of kinds");
    for (int i = 0; i < kinds && in.ok(); ++i) {
      const uint64_t content = in.u64("a kind");
      format.emplace_back(content, in.u64("a form"));
    }
    std::vector<std::pair<std::string, uint64_t>> list;
    const uint64_t count = in.u64("a number of entries");
    if (in.ok() && (count > in.left() || (format.empty() && count > 0)))
      in.fail("more entries than there is room for are before it,");
    for (uint64_t i = 0; i < count && in.ok(); ++i) {
      std::pair<std::string, uint64_t> entry;
      for (const auto& [content, form] : format) {
        std::string text;
        const uint64_t number = value(in, form, text);
        if (content == kPath) entry.first = text;
        if (content == kDirectoryIndex) entry.second = number;
      }
      list.push_back(std::move(entry));
    }
    return list;
  }

  uint64_t value(Reader& in, uint64_t form, std::string& text) {
    const size_t offset_size = 4;  // clang and rustc write no other for wasm32
    switch (form) {
      case kString:
        text = c_string(in);
        return 0;
      case kLineStrp:
        text = string_at(sections_.debug_line_str, fixed(in, offset_size));
        return 0;
      case kStrp:
        text = string_at(sections_.debug_str, fixed(in, offset_size));
        return 0;
      case kData1:
        return fixed(in, 1);
      case kBlock2:
        return fixed(in, 2);
      case kData4:
        return fixed(in, 4);
      case kData8:
        return fixed(in, 8);
      case kData16:
        in.bytes(16, "a hash");
        return 0;
      case kUdata:
        return in.u64("a number");
      case kBlock:
        in.bytes(in.u64("a size"), "a block");
        return 0;
      default:
        in.fail("a form that is not known is before it,");
        return 0;
    }
  }

  void old_entries(Reader& in, Header& header) {
    header.folders.emplace_back();
    while (in.ok()) {
      std::string folder = c_string(in);
      if (folder.empty()) break;
      header.folders.push_back(std::move(folder));
    }
    while (in.ok()) {
      const std::string path = c_string(in);
      if (path.empty()) break;
      const uint64_t folder = in.u64("a folder");
      in.u64("a time");
      in.u64("a size");
      header.files.push_back(file(header, path, folder));
    }
  }

  uint32_t file(const Header& header, const std::string& path, uint64_t folder) {
    std::string whole = path;
    if (!path.starts_with('/') && folder < header.folders.size() && !header.folders[folder].empty()) {
      whole = header.folders[folder] + "/" + path;
      if (!whole.starts_with('/') && folder > 0 && header.version >= 5 && !header.folders[0].empty()) {
        whole = header.folders[0] + "/" + whole;
      }
    }
    const auto [known, made] = numbers_.emplace(whole, static_cast<uint32_t>(table_.files.size()));
    if (made) table_.files.push_back(whole);
    return known->second;
  }

  // The machine of section 6.2.2, without what nobody asks for.
  struct State {
    uint64_t address = 0;
    uint64_t file = 1;
    int64_t line = 1;
    bool statement = true;
    bool dead = true;  // no address was set, or one of what is thrown away
  };

  void row(const Header& header, const State& state) {
    if (!state.statement || state.dead || state.line <= 0 || state.line > std::numeric_limits<int32_t>::max()) return;
    if (state.file < header.first_file || state.file - header.first_file >= header.files.size()) return;
    table_.rows.push_back(
        {state.address, header.files[state.file - header.first_file], static_cast<uint32_t>(state.line)});
  }

  void program(Reader& in, const Header& header) {
    State state;
    state.statement = header.default_statement;
    while (in.ok() && !in.at_end()) {
      const uint8_t opcode = in.u8("an opcode");
      if (opcode >= header.opcode_base) {
        const unsigned adjusted = opcode - header.opcode_base;
        state.address += adjusted / header.line_range * header.min_instruction_length;
        state.line += header.line_base + static_cast<int>(adjusted % header.line_range);
        row(header, state);
      } else if (opcode == kExtended) {
        extended(in, header, state);
      } else {
        standard(in, header, opcode, state);
      }
    }
  }

  static void extended(Reader& in, const Header& header, State& state) {
    const uint64_t size = in.u64("a size");
    if (in.ok() && (size == 0 || size > in.left())) return in.fail("an operation of no size is before it,");
    const size_t begin = in.offset();
    Reader operation(in.bytes(size, "an operation"), begin);
    switch (operation.u8("an opcode")) {
      case kEndSequence:
        state = {};
        state.statement = header.default_statement;
        break;
      case kSetAddress: {
        const size_t width = std::min<size_t>(size - 1, 8);
        state.address = fixed(operation, width);
        const uint64_t highest = width >= 8 ? UINT64_MAX : (uint64_t{1} << (8 * width)) - 1;
        state.dead = state.address == 0 || state.address >= highest - 1;
        break;
      }
      default:
        break;
    }
  }

  void standard(Reader& in, const Header& header, uint8_t opcode, State& state) {
    switch (opcode) {
      case kCopy:
        return row(header, state);
      case kAdvancePc:
        state.address += in.u64("an advance") * header.min_instruction_length;
        return;
      case kAdvanceLine:
        state.line += in.signed_leb(64, "an advance") % std::numeric_limits<int32_t>::max();
        return;
      case kSetFile:
        state.file = in.u64("a file");
        return;
      case kNegateStatement:
        state.statement = !state.statement;
        return;
      case kConstAddPc:
        state.address += (255u - header.opcode_base) / header.line_range * header.min_instruction_length;
        return;
      case kFixedAdvancePc:
        state.address += fixed(in, 2);
        return;
      default:
        for (int i = 0; i < header.lengths[opcode - 1u]; ++i) in.u64("an operand");
    }
  }

  const DebugSections& sections_;
  LineTable table_;
  std::map<std::string, uint32_t> numbers_;
};

}  // namespace

Result<LineTable> read_line_table(const DebugSections& sections) {
  return TableReader(sections).read();
}

}  // namespace inlay::coverage
