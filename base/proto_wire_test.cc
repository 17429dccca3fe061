// SPDX-License-Identifier: Apache-2.0
#include "base/proto_wire.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

using namespace std::string_literals;  // NOLINT: tests only

// "1=5 2="ab"": what a reader makes of the bytes; "!" at the end if they are malformed.
std::string read(std::string_view bytes) {
  std::string text;
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    text += (text.empty() ? "" : " ") + std::to_string(f.number) + "=";
    text += f.is_bytes() ? "\"" + std::string(f.bytes) + "\"" : std::to_string(f.value);
  }
  return reader.ok() ? text : text + "!";
}

TEST(ProtoWire, ReadsEachKindOfField) {
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("\x08\x96\x01"), "1=150");
  EXPECT_EQ(read("\x12\x03"
                 "abc\x1a\x00"s),
            "2=\"abc\" 3=\"\"");
  EXPECT_EQ(read("\x0d\x01\x00\x00\x00\x11\x02\x00\x00\x00\x00\x00\x00\x00"s), "1=1 2=2");
  EXPECT_EQ(read("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "1=18446744073709551615");
}

TEST(ProtoWire, StopsAtWhatIsMalformed) {
  EXPECT_EQ(read("\x08"), "!");
  EXPECT_EQ(read("\x08\x01\x12\x05"
                 "abc"),
            "1=1!");
  EXPECT_EQ(read("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "!") << "65 bits";
  EXPECT_EQ(read("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "!") << "eleven bytes";
  EXPECT_EQ(read("\x00\x01"s), "!") << "field 0";
  EXPECT_EQ(read("\x0b\x0c"), "!") << "a group";
  EXPECT_EQ(read("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "!") << "a length beyond the end";
}

TEST(ProtoWire, WritesWhatItReads) {
  std::string out;
  put_bool(out, 1, true);
  put_bool(out, 2, false);
  put_string(out, 3, "");
  put_string(out, 4, "x");
  put_bytes(out, 1000, std::string(200, 'y'));
  EXPECT_EQ(read(out), "1=1 4=\"x\" 1000=\"" + std::string(200, 'y') + "\"");
}

}  // namespace
}  // namespace inlay
