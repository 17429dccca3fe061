// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>

namespace inlay {
namespace {

std::string pattern(size_t n, char from = 'a') {
  std::string text(n, ' ');
  for (size_t i = 0; i < n; ++i) text[i] = static_cast<char>(from + static_cast<char>(i % 23));
  return text;
}

TEST(Buffer, AppendsAcrossBlocks) {
  Buffer b;
  const auto text = pattern(3 * Buffer::kBlockSize + 17);
  b.append(text);
  EXPECT_EQ(b.size(), text.size());
  EXPECT_EQ(b.to_string(), text);
  EXPECT_EQ(b.front(), text.substr(0, Buffer::kBlockSize));
  iovec pieces[8];
  ASSERT_EQ(b.iovecs(pieces, 8), 4u);
  EXPECT_EQ(pieces[3].iov_len, 17u);
  EXPECT_EQ(b.iovecs(pieces, 2), 2u);
}

TEST(Buffer, ReserveAndCommit) {
  Buffer b;
  auto space = b.reserve(100);
  ASSERT_GE(space.size(), 100u);
  EXPECT_EQ(space.size(), Buffer::kBlockSize);
  std::memcpy(space.data(), "hello", 5);
  EXPECT_TRUE(b.empty());
  b.commit(5);
  EXPECT_EQ(b.to_string(), "hello");
  EXPECT_EQ(b.reserve(1).size(), Buffer::kBlockSize - 5);
  auto big = b.reserve(100'000);
  ASSERT_GE(big.size(), 100'000u);
  std::fill(big.begin(), big.end(), 'x');
  b.commit(100'000);
  EXPECT_EQ(b.size(), 100'005u);
}

TEST(Buffer, AnUncommittedReserveLeavesNoTrace) {
  Buffer a;
  Buffer b;
  (void)a.reserve(10);
  b.append("x");
  a.move_from(b);
  (void)a.reserve(20'000);
  b.move_from(a);
  b.append("y");
  EXPECT_EQ(b.to_string(), "xy");
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(a.front(), "");
}

TEST(Buffer, MovesWholeAndInPart) {
  const auto text = pattern(2 * Buffer::kBlockSize + 100);
  Buffer a;
  a.append(text);
  Buffer b;
  b.append("head:");
  b.move_from(a, Buffer::kBlockSize + 10);
  EXPECT_EQ(b.to_string(), "head:" + text.substr(0, Buffer::kBlockSize + 10));
  EXPECT_EQ(a.to_string(), text.substr(Buffer::kBlockSize + 10));
  b.move_from(a);
  EXPECT_EQ(b.to_string(), "head:" + text);
  EXPECT_TRUE(a.empty());
}

TEST(Buffer, PrependsIntoDrainedSpaceAndNewBlocks) {
  Buffer b;
  b.append("abcdef");
  b.drain(3);
  b.prepend("XY");
  EXPECT_EQ(b.to_string(), "XYdef");
  const auto text = pattern(2 * Buffer::kBlockSize + 5);
  b.prepend(text);
  EXPECT_EQ(b.to_string(), text + "XYdef");
  Buffer empty;
  empty.prepend("only");
  EXPECT_EQ(empty.to_string(), "only");
}

TEST(Buffer, CopyOutReadsAnyRange) {
  const auto text = pattern(2 * Buffer::kBlockSize);
  Buffer b;
  b.append(text);
  std::string out(100, ' ');
  b.copy_out(Buffer::kBlockSize - 50, 100, out.data());
  EXPECT_EQ(out, text.substr(Buffer::kBlockSize - 50, 100));
}

TEST(Buffer, AgreesWithAStringUnderRandomEdits) {
  std::mt19937 random(7);  // NOLINT: the same edits each time
  Buffer buffer;
  Buffer other;
  std::string model;
  std::string other_model;
  for (int i = 0; i < 3000; ++i) {
    const size_t n = random() % 40'000;
    switch (random() % 7) {
      case 0: {
        const auto text = pattern(n, 'A');
        buffer.append(text);
        model += text;
        break;
      }
      case 1: {
        const auto text = pattern(n / 4, 'a');
        buffer.prepend(text);
        model = text + model;
        break;
      }
      case 2:
        buffer.drain(std::min(n, model.size()));
        model.erase(0, std::min(n, model.size()));
        break;
      case 3:
        other.move_from(buffer, std::min(n, model.size()));
        other_model += model.substr(0, std::min(n, model.size()));
        model.erase(0, std::min(n, model.size()));
        break;
      case 4:
        buffer.move_from(other);
        model += other_model;
        other_model.clear();
        break;
      case 5:
        (void)buffer.reserve(n + 1);
        break;
      default:
        if (model.size() > 200'000) {
          buffer.clear();
          model.clear();
        }
    }
    ASSERT_EQ(buffer.size(), model.size());
    ASSERT_EQ(other.size(), other_model.size());
    if (i % 50 == 0) {
      ASSERT_EQ(buffer.to_string(), model);
      ASSERT_EQ(other.to_string(), other_model);
    }
  }
}

TEST(Buffer, MayBeDestroyedOnAnotherThread) {
  Buffer b;
  b.append(pattern(100'000));
  std::thread([moved = std::move(b)]() mutable { moved.clear(); }).join();
  EXPECT_TRUE(b.empty());  // NOLINT: a moved-from buffer is empty
  b.append("usable");
  EXPECT_EQ(b.to_string(), "usable");
}

TEST(Buffer, AFewBytesAreMovedIntoTheLastBlock) {
  for (const size_t size : {size_t{1}, size_t{1024}, size_t{1025}}) {
    Buffer head;
    head.append("head ");
    Buffer body;
    body.append("dropped");
    body.append(std::string(size, 'b'));
    body.drain(7);
    head.move_from(body);
    EXPECT_EQ(head.to_string(), "head " + std::string(size, 'b'));
    EXPECT_TRUE(body.empty());
    iovec pieces[4];
    EXPECT_EQ(head.iovecs(pieces, 4), size <= 1024 ? 1u : 2u) << size;
    body.append("again");
    EXPECT_EQ(body.to_string(), "again");
  }
}

TEST(Buffer, AFewBytesThatDoNotFitKeepTheirBlock) {
  Buffer full;
  full.append(std::string(Buffer::kBlockSize - 3, 'f'));
  Buffer more;
  more.append("more");
  full.move_from(more);
  EXPECT_EQ(full.size(), Buffer::kBlockSize + 1);
  EXPECT_EQ(full.to_string().substr(Buffer::kBlockSize - 4), "fmore");
  iovec pieces[4];
  EXPECT_EQ(full.iovecs(pieces, 4), 2u);
}

}  // namespace
}  // namespace inlay
