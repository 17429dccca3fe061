// SPDX-License-Identifier: Apache-2.0
#include "coverage/line_table.h"

#include <gtest/gtest.h>

namespace inlay::coverage {
namespace {

using Bytes = std::vector<uint8_t>;

void append(Bytes& out, const Bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}
void append32(Bytes& out, size_t number) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<uint8_t>(number >> (8 * i)));
}
Bytes text(std::string_view of) {
  Bytes out(of.begin(), of.end());
  out.push_back(0);
  return out;
}

// A head's numbers: instructions of a byte, one operation (from version 4 on), statements by default, line_base -5,
// line_range 14, opcode_base 13 with the standard's lengths.
Bytes numbers(bool operations) {
  Bytes out = {1};
  if (operations) out.push_back(1);
  append(out, {1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1});
  return out;
}

Bytes unit(uint8_t version, const Bytes& rest_of_head, const Bytes& program) {
  Bytes head = numbers(version >= 4);
  append(head, rest_of_head);
  Bytes content = {version, 0};
  if (version >= 5) append(content, {4, 0});
  append32(content, head.size());
  append(content, head);
  append(content, program);
  Bytes out;
  append32(out, content.size());
  append(out, content);
  return out;
}

// Folder 1 is "src"; a file is there, and another one of no folder.
Bytes old_files() {
  Bytes out = text("src");
  out.push_back(0);
  append(out, text("a.cc"));
  append(out, {1, 0, 0});
  append(out, text("/b.h"));
  append(out, {0, 0, 0, 0});
  return out;
}

// At `address`: line 10 of file 1; two bytes on, line 11; then no statement; then line 3 of file 2; the end.
Bytes program(uint8_t address) {
  return {0, 5, 2,  address, 0, 0, 0,  // set_address
          3, 9, 1,                     // advance_line 9, copy
          2, 2, 19,                    // advance_pc 2; special: line + 1
          6, 2, 1,  1,       6,        // negate_stmt, advance_pc 1, copy, negate_stmt
          4, 2, 3,  0x78,    1,        // set_file 2, advance_line -8, copy
          0, 1, 1};                    // end_sequence
}

std::string shown(const Result<LineTable>& table) {
  if (!table) return table.error().to_string();
  std::string out;
  for (const LineRow& row : table->rows) {
    out += std::to_string(row.address) + " " + table->files[row.file] + ":" + std::to_string(row.line) + "\n";
  }
  return out;
}

TEST(LineTable, ReadsTheOlderVersions) {
  for (const uint8_t version : {2, 3, 4}) {
    const Bytes line = unit(version, old_files(), program(100));
    EXPECT_EQ(shown(read_line_table({line, {}, {}})), "100 src/a.cc:10\n102 src/a.cc:11\n103 /b.h:3\n");
  }
}

TEST(LineTable, ReadsVersion5WithItsStringsElsewhere) {
  const Bytes strings = text("/home");
  // Folders: line_strp "/home", string "src" -> forms differ by list, so both are line_strp here.
  Bytes two = strings;
  const size_t src = two.size();
  append(two, text("src"));
  const size_t file = two.size();
  append(two, text("a.cc"));
  Bytes rest = {1, 1, 0x1f, 2};
  append32(rest, 0);
  append32(rest, src);
  append(rest, {2, 1, 0x1f, 2, 0x0b, 2});
  for (int i = 0; i < 2; ++i) {
    append32(rest, file);
    rest.push_back(1);
  }
  const Bytes line = unit(5, rest, program(100));
  EXPECT_EQ(shown(read_line_table({line, two, {}})),
            "100 /home/src/a.cc:10\n102 /home/src/a.cc:11\n");  // there is no file 2
}

TEST(LineTable, WhatTheLinkerHasThrownAwayIsLeftOut) {
  Bytes line = unit(4, old_files(), program(0));
  append(line, unit(4, old_files(), program(7)));
  EXPECT_EQ(shown(read_line_table({line, {}, {}})), "7 src/a.cc:10\n9 src/a.cc:11\n10 /b.h:3\n");
}

TEST(LineTable, WhatIsCutShortIsAnErrorOrNothing) {
  const Bytes line = unit(4, old_files(), program(100));
  for (size_t size = 1; size < line.size(); ++size) {
    EXPECT_FALSE(read_line_table({std::span(line).first(size), {}, {}})) << size;
  }
  EXPECT_TRUE(read_line_table({})) << "no section is an empty table";
  Bytes wrong = line;
  wrong[4] = 9;
  EXPECT_NE(shown(read_line_table({wrong, {}, {}})).find("a version that is none of 2 to 5"), std::string::npos);
}

}  // namespace
}  // namespace inlay::coverage
