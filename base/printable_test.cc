// SPDX-License-Identifier: Apache-2.0
#include "base/printable.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(OneLine, LeavesWhatReadsAsItStands) {
  for (const char* text : {"", "plain text", "back\\slash \"quoted\"", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"})
    EXPECT_EQ(one_line(text), text);
}

TEST(OneLine, NothingBeginsANewLineOrMovesTheCursor) {
  EXPECT_EQ(one_line("a\nb\r\nc\td"), "a\\nb\\r\\nc\\td");
  EXPECT_EQ(one_line(std::string_view("\0\x1b[31m\x7f", 7)), "\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(one_line("\xc2\x85 \xc2\x9b"), "\\x85 \\x9b") << "next line, and a control sequence of eight bits";
  EXPECT_EQ(one_line("\xe2\x80\xa8|\xe2\x80\xae|\xe2\x81\xa6"), "\\u2028|\\u202e|\\u2066");
}

TEST(OneLine, BytesThatAreNoUtf8AreShownAsBytes) {
  EXPECT_EQ(one_line("\xff\xc3(\xc0\x8a\xed\xa0\x80"), "\\xff\\xc3(\\xc0\\x8a\\xed\\xa0\\x80");
  EXPECT_EQ(one_line("cut \xe2\x82"), "cut \\xe2\\x82");
}

TEST(OneLine, CopiesOnlyWhatItHasToChange) {
  std::string storage = "untouched";
  const std::string_view text = "plain";
  EXPECT_EQ(one_line(text, storage).data(), text.data());
  EXPECT_EQ(storage, "untouched");
  EXPECT_EQ(one_line("a\n", storage).data(), storage.data());
}

TEST(IsUtf8, TakesWholeCharactersOnly) {
  EXPECT_TRUE(is_utf8("") && is_utf8("caf\xc3\xa9") && is_utf8("\n"));
  EXPECT_FALSE(is_utf8("\xff") || is_utf8("caf\xc3") || is_utf8("\xed\xa0\x80"));
}

}  // namespace
}  // namespace inlay
