// SPDX-License-Identifier: Apache-2.0
#include "coverage/source_places.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace inlay::coverage {
namespace {

using Bytes = std::vector<uint8_t>;

void append(Bytes& out, const Bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}
Bytes text(std::string_view of) {
  return {of.begin(), of.end()};
}
void append_section(Bytes& out, uint8_t id, const Bytes& content) {
  out.push_back(id);
  out.push_back(static_cast<uint8_t>(content.size()));
  append(out, content);
}

// Two functions without locals: unreachable, nop, end; and nop, end. The code's content is at 21: their bodies at 23
// and 28, their instructions at 24 and 29. `path` is of one file, below 60 bytes.
Bytes module_with_lines(std::string_view path) {
  Bytes module = {0, 'a', 's', 'm', 1, 0, 0, 0};
  append_section(module, 1, {1, 0x60, 0, 0});
  append_section(module, 3, {2, 0, 0});
  append_section(module, 10, {2, 4, 0, 0, 1, 0x0b, 3, 0, 1, 0x0b});
  // DWARF 2, "Line Number Information": the head's numbers, no folder, one file, then a program of special opcodes.
  Bytes head = {1, 1, 0xfb, 14, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0};
  append(head, text(path));
  append(head, {0, 0, 0, 0, 0});
  Bytes unit = {2, 0, static_cast<uint8_t>(head.size()), 0, 0, 0};
  append(unit, head);
  // Line 7 at 2, the first function's body; line 8 at its nop, 4; the end of the sequence at 6.
  append(unit, {0, 5, 2, 2, 0, 0, 0, 3, 6, 1, 2, 2, 3, 1, 1, 2, 2, 0, 1, 1});
  Bytes section = text("\x0b.debug_line");
  append(section, {static_cast<uint8_t>(unit.size()), 0, 0, 0});
  append(section, unit);
  append_section(module, 0, section);
  return module;
}

TEST(SourcePlaces, AreThoseOfTheStatementBeforeInTheSameFunction) {
  const Bytes module = module_with_lines("/src/a/../b.cc");
  const SourcePlaces places = SourcePlaces::of(module);
  ASSERT_TRUE(places.at(24));
  EXPECT_EQ(places.at(24)->path, "/src/b.cc");
  EXPECT_EQ(places.at(24)->line, 7u);
  EXPECT_EQ(places.at(25)->line, 8u);
  EXPECT_EQ(places.at(26)->line, 8u);
  EXPECT_FALSE(places.at(29)) << "another function, of which DWARF says nothing";
  EXPECT_FALSE(places.at(3));
  EXPECT_FALSE(places.at(3000));
}

TEST(SourcePlaces, StandInBacktraces) {
  const std::string here = (std::filesystem::current_path() / "src" / "b.cc").string();
  ASSERT_LT(here.size(), 100u);
  const Bytes near = module_with_lines("/far/b.cc");
  const SourcePlaces places = SourcePlaces::of(near);
  EXPECT_EQ(places.in_backtrace("backtrace:\n  0: f @ 0x18\n  1: g @ 0x1d\n  2: h"),
            "backtrace:\n  0: f at /far/b.cc:7\n  1: g\n  2: h");
  EXPECT_EQ(places.in_backtrace(""), "");
  EXPECT_EQ(places.in_backtrace("  0: operator @ 0xyz"), "  0: operator @ 0xyz");
  EXPECT_EQ(places.in_backtrace("log: f @ 0x18\n"), "log: f @ 0x18");
  EXPECT_EQ(SourcePlaces().in_backtrace("  0: f @ 0x18\n  1: g"), "  0: f\n  1: g");
  if (here.size() < 60) {
    const Bytes below = module_with_lines(here);
    EXPECT_EQ(SourcePlaces::of(below).in_backtrace("  0: f @ 0x19"), "  0: f at src/b.cc:8");
  }
}

TEST(SourcePlaces, AnythingCutShortHasNone) {
  const Bytes module = module_with_lines("/src/b.cc");
  for (size_t size = 0; size < module.size(); ++size) {
    const SourcePlaces places = SourcePlaces::of(std::span(module).first(size));
    EXPECT_EQ(places.in_backtrace("  0: f @ 0x1d"), "  0: f");
  }
}

}  // namespace
}  // namespace inlay::coverage
