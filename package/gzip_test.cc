// SPDX-License-Identifier: Apache-2.0
#include "package/gzip.h"

#include <gtest/gtest.h>

#include <random>

namespace inlay::package {
namespace {

std::span<const uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Bytes out of a generator whose numbers the C++ standard fixes; few of them differ, so that they can be compressed.
std::string varied(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) text += static_cast<char>(random() % 8);
  return text;
}

TEST(Gzip, EverySizeAtTheEdgesOfBlocksComesBack) {
  for (const size_t size : {0u, 1u, 2u, 65534u, 65535u, 65536u, 131070u, 131071u, 300000u}) {
    const std::string text = varied(size, static_cast<unsigned>(size));
    const std::string stored = gzip_stored(bytes(text));
    const size_t blocks = std::max<size_t>(1, (size + 65534) / 65535);
    EXPECT_EQ(stored.size(), 10 + 5 * blocks + size + 8) << size;
    const auto compressed = gzip_compressed(bytes(text));
    ASSERT_TRUE(compressed) << compressed.error().message;
    for (const std::string& packed : {stored, *compressed}) {
      const auto back = gunzip(bytes(packed), size);
      ASSERT_TRUE(back) << size << ": " << back.error().message;
      EXPECT_TRUE(*back == text) << size;
    }
  }
}

// What gzip_stored makes is a promise: the digests of packages hang on it. This one changes only on purpose.
TEST(Gzip, TheSameInputGivesTheSameBytesForever) {
  EXPECT_EQ(gzip_stored(bytes("abc")), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff"
                                                   "\x01\x03\0\xfc\xff"
                                                   "abc"
                                                   "\xc2\x41\x24\x35"
                                                   "\x03\0\0\0",
                                                   26));
}

TEST(Gzip, CompressedIsSmaller) {
  const std::string text = varied(300000, 5);
  EXPECT_LT(gzip_compressed(bytes(text))->size(), text.size() / 2);
}

TEST(Gunzip, WhatIsNoWholeGzipFileIsRefused) {
  const std::string whole = gzip_stored(bytes(varied(5000, 1)));
  for (size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_FALSE(gunzip(bytes(std::string_view(whole).substr(0, size)), 10000)) << size;
  }
  std::string changed = whole;
  changed[whole.size() - 5] = static_cast<char>(changed[whole.size() - 5] ^ 1);  // the checksum
  EXPECT_FALSE(gunzip(bytes(changed), 10000));
  EXPECT_FALSE(gunzip(bytes(whole + "rest"), 10000));
  EXPECT_FALSE(gunzip(bytes("PK"), 10000));
}

TEST(Gunzip, MembersBehindEachOtherAreOneText) {
  const auto both = gunzip(bytes(gzip_stored(bytes("one ")) + gzip_stored(bytes("two"))), 100);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(*both, "one two");
}

TEST(Gunzip, ALimitHoldsBackBombs) {
  const std::string bomb = *gzip_compressed(bytes(std::string(10 << 20, '\0')));
  EXPECT_LT(bomb.size(), 100000u);
  const auto result = gunzip(bytes(bomb), 1 << 20);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace inlay::package
