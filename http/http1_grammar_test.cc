// SPDX-License-Identifier: Apache-2.0
#include "http/http1_grammar.h"

#include <gtest/gtest.h>

namespace inlay::http {
namespace {

TEST(ChunkSize, IsReadWithWhatPadsIt) {
  struct {
    std::string_view line;
    uint64_t size;
    size_t padding;
  } const rows[] = {
      {"0", 0, 1},
      {"a", 10, 0},
      {"1F", 31, 0},
      {"00010", 16, 3},
      {"5 ", 5, 1},
      {"5 ;a=b", 5, 5},
      {"5;a", 5, 2},
      {"5\t; a", 5, 4},
      {"fffffffffffffff", 0xfffffffffffffff, 0},
      {"0000000000000000001", 1, 18},
  };
  for (const auto& row : rows) {
    const auto chunk = parse_chunk_size(row.line);
    ASSERT_TRUE(chunk) << row.line;
    EXPECT_EQ(chunk->size, row.size) << row.line;
    EXPECT_EQ(chunk->padding, row.padding) << row.line;
  }
}

TEST(ChunkSize, RefusesAllElse) {
  for (const std::string_view line : {"", " 5", "g", "0x5", "-1", "+1", "5 a", "5a;\r", "1000000000000000", ";a"}) {
    EXPECT_FALSE(parse_chunk_size(line)) << line;
  }
}

}  // namespace
}  // namespace inlay::http
