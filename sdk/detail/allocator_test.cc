// SPDX-License-Identifier: Apache-2.0
#include "sdk/detail/allocator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <utility>

namespace inlay::sdk::detail {
namespace {

// Arena: a stretch of native memory that plays the guest's.
struct Arena {
  static constexpr size_t kSize = 4 << 20;
  alignas(16) static inline char bytes[kSize];
  static inline size_t used = 0;
  static inline size_t limit = kSize;
  static size_t begin() { return reinterpret_cast<size_t>(bytes) + 3; }
  static size_t end() { return reinterpret_cast<size_t>(bytes) + used; }
  static bool grow(size_t size) {
    const size_t wanted = (used + size + 65535) / 65536 * 65536;
    if (wanted > limit) return false;
    used = wanted;
    return true;
  }
};

class AllocatorTest : public ::testing::Test {
 protected:
  AllocatorTest() {
    Arena::used = 0;
    Arena::limit = Arena::kSize;
  }
  Allocator<Arena> allocator_;
};

TEST_F(AllocatorTest, BlocksAreAlignedLargeEnoughAndWasteAtMostAQuarter) {
  for (size_t size = 0; size <= 70'000; size = size < 600 ? size + 1 : size * 9 / 8) {
    void* const block = allocator_.allocate(size);
    ASSERT_NE(block, nullptr) << size;
    EXPECT_EQ(reinterpret_cast<size_t>(block) % kBlockAlignment, 0u) << size;
    const size_t capacity = allocator_.capacity(block);
    EXPECT_GE(capacity, size);
    EXPECT_LE(capacity, size + size / 4 + 24) << size;
    std::memset(block, 0xaa, capacity);
  }
}

TEST_F(AllocatorTest, FreedBlocksAreUsedAgain) {
  void* const block = allocator_.allocate(100);
  allocator_.release(block);
  EXPECT_EQ(allocator_.allocate(98), block);
  allocator_.release(nullptr);
}

TEST_F(AllocatorTest, LiveBlocksNeverOverlap) {
  std::mt19937 random(5);
  std::map<char*, std::pair<size_t, char>> live;
  for (int i = 0; i < 20'000; ++i) {
    if (live.size() > 200 || (!live.empty() && random() % 2 == 0)) {
      auto at = live.begin();
      std::advance(at, static_cast<long>(random() % live.size()));
      for (size_t n = 0; n < at->second.first; ++n) ASSERT_EQ(at->first[n], at->second.second);
      allocator_.release(at->first);
      live.erase(at);
      continue;
    }
    const size_t size = random() % (random() % 8 == 0 ? 5000 : 200);
    char* const block = static_cast<char*>(allocator_.allocate(size));
    ASSERT_NE(block, nullptr);
    std::memset(block, i & 0x7f, size);
    live[block] = {size, static_cast<char>(i & 0x7f)};
  }
}

TEST_F(AllocatorTest, SteadyLoadTakesNoMoreMemory) {
  for (int i = 0; i < 100; ++i) {
    void* blocks[] = {allocator_.allocate(20), allocator_.allocate(3000), allocator_.allocate(64'000)};
    for (void* block : blocks) allocator_.release(block);
  }
  EXPECT_LE(Arena::used, 2 * 65536u);
}

TEST_F(AllocatorTest, NoMemoryIsANullPointerAndNoLoss) {
  Arena::limit = 65536;
  EXPECT_EQ(allocator_.allocate(100'000), nullptr);
  EXPECT_EQ(allocator_.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(allocator_.allocate(size_t{1} << 31), nullptr);
  EXPECT_NE(allocator_.allocate(1000), nullptr);
}

}  // namespace
}  // namespace inlay::sdk::detail
