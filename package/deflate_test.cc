// SPDX-License-Identifier: Apache-2.0
#include "package/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <random>

#include "package/blob.h"

namespace inlay::package {
namespace {

std::span<const uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void expect_round_trip(const std::string& text) {
  const auto back = gunzip(bytes(gzip(bytes(text))), text.size());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(*back == text) << text.size();
}

// Text with repetitions near and far, out of a generator whose numbers the C++ standard fixes.
std::string varied(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    const size_t length = random() % 300;
    if (random() % 3 == 0 || text.empty()) {
      for (size_t i = 0; i < length; ++i) {
        const unsigned range = random() % 4 == 0 ? 256 : 8;
        text += static_cast<char>(random() % range);
      }
    } else {
      const size_t from = text.size() - 1 - random() % text.size();
      for (size_t i = 0; i < length; ++i) text += text[from + i];
    }
  }
  text.resize(size);
  return text;
}

TEST(Deflate, EverySizeOfSmallTextComesBack) {
  for (size_t size = 0; size < 600; ++size) expect_round_trip(varied(size, static_cast<unsigned>(size)));
}

TEST(Deflate, ShapesThatAreHardOnCodes) {
  expect_round_trip(std::string(1, 'a'));
  expect_round_trip(std::string(100000, 'a'));
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  expect_round_trip(all);
  std::string steep;  // counts that double: the best code has longer words than the format allows
  for (int i = 0; i < 17; ++i) steep.append(size_t{1} << i, static_cast<char>('a' + i));
  std::shuffle(steep.begin(), steep.end(), std::mt19937(1));
  expect_round_trip(steep);
}

TEST(Deflate, RepetitionsAtTheEdgesOfTheWindow) {
  const std::string noise = varied(40000, 9);
  for (const size_t distance : {1u, 4096u, 4097u, 32767u, 32768u, 32769u, 33000u}) {
    std::string text = noise.substr(0, distance);
    text += text.substr(0, std::min<size_t>(distance, 1000));
    expect_round_trip(text);
  }
}

TEST(Deflate, LongTextOfManyBlocks) {
  for (unsigned seed = 0; seed < 8; ++seed) expect_round_trip(varied(300000 + seed, seed));
}

// What the compressor makes is a promise: the digests of packages hang on it. This one changes only on purpose.
TEST(Deflate, TheSameInputGivesTheSameBytesForever) {
  EXPECT_EQ(digest_of(gzip(bytes(varied(100000, 42)))),
            "sha256:68d295d113424f13126bd7b2a2f1d2ce5928082e241fa10e4e85f785872bc0dd");
  EXPECT_EQ(gzip(bytes("")),
            std::string("\x1f\x8b\x08\0\0\0\0\0\x02\xff", 10) + deflate(bytes("")) + std::string(8, '\0'));
}

TEST(Deflate, AboutAsSmallAsZlibAtItsBest) {
  const std::string text = varied(300000, 5);
  uLongf size = ::compressBound(text.size());
  std::string theirs(size, '\0');
  ASSERT_EQ(::compress2(reinterpret_cast<Bytef*>(theirs.data()), &size, bytes(text).data(), text.size(), 9), Z_OK);
  EXPECT_LT(deflate(bytes(text)).size(), size * 101 / 100);
}

TEST(Gunzip, WhatIsNoWholeGzipFileIsRefused) {
  const std::string whole = gzip(bytes(varied(5000, 1)));
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
  const auto both = gunzip(bytes(gzip(bytes("one ")) + gzip(bytes("two"))), 100);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(*both, "one two");
}

TEST(Gunzip, ALimitHoldsBackBombs) {
  const std::string bomb = gzip(bytes(std::string(10 << 20, '\0')));
  EXPECT_LT(bomb.size(), 100000u);
  const auto result = gunzip(bytes(bomb), 1 << 20);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace inlay::package
