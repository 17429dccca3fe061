// SPDX-License-Identifier: Apache-2.0
#pragma once

// Allocator: a guest's memory in blocks. They come in size classes, four for each power of two, so that at most a
// quarter of a block is unused. A freed block waits in its class's list for the next request of that class; new blocks
// are cut from the end of the memory. Allocation and release take a few instructions each. Blocks are never merged:
// what a module can come to hold is the sum of the peaks of each class. A block's class stands in the 8 bytes before
// it.

#include <cstddef>
#include <cstdint>

namespace inlay::sdk::detail {

inline constexpr size_t kBlockAlignment = 16;

// Memory says where the memory begins and ends and makes it longer, at its end.
template <class Memory>
class Allocator {
 public:
  static constexpr size_t kHeader = 8;
  static constexpr size_t kMaxSize = size_t{1} << 30;

  void* allocate(size_t size) {
    if (size > kMaxSize) return nullptr;
    const uint32_t wanted = class_of(size + kHeader);
    Block* block = free_[wanted];
    if (block != nullptr) {
      free_[wanted] = block->next;
      return block;
    }
    return cut(wanted);
  }

  void release(void* payload) {
    if (payload == nullptr) return;
    Block* block = static_cast<Block*>(payload);
    const uint32_t size_class = class_at(payload);
    block->next = free_[size_class];
    free_[size_class] = block;
  }

  // capacity: how many bytes the block of `payload` has room for.
  static size_t capacity(const void* payload) { return size_of(class_at(payload)) - kHeader; }

 private:
  static constexpr uint32_t kClasses = 112;

  struct Block {
    Block* next;
  };

  // Class n: up to 3, (n + 1) * 16 bytes; from there on four steps for each doubling: 80, 96, 112, 128, 160, ...
  static uint32_t class_of(size_t size) {
    if (size <= 64) return static_cast<uint32_t>((size + 15) / 16) - 1;
    const uint32_t top = 31u - static_cast<uint32_t>(__builtin_clz(static_cast<uint32_t>(size - 1)));
    return (top - 5) * 4 + static_cast<uint32_t>((size - 1) >> (top - 2) & 3);
  }
  static size_t size_of(uint32_t size_class) {
    if (size_class < 4) return (size_class + 1) * 16;
    return size_t{5 + (size_class & 3)} << (size_class / 4 + 3);
  }

  static uint32_t class_at(const void* payload) {
    const uint32_t size_class = static_cast<const uint32_t*>(payload)[-1];
    if (size_class >= kClasses) __builtin_trap();  // not a block of ours, or overwritten
    return size_class;
  }

  void* cut(uint32_t size_class) {
    const size_t size = size_of(size_class);
    if (next_ == 0) {
      // Blocks begin 8 below a multiple of 16, so that what follows the header is aligned.
      next_ = (Memory::begin() + kHeader + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment - kHeader;
    }
    const size_t end = Memory::end();
    if (next_ > SIZE_MAX - size) return nullptr;
    if (next_ + size > end && !Memory::grow(next_ + size - end)) return nullptr;
    auto* const payload = reinterpret_cast<char*>(next_ + kHeader);
    reinterpret_cast<uint32_t*>(payload)[-1] = size_class;
    next_ += size;
    return payload;
  }

  Block* free_[kClasses] = {};
  size_t next_ = 0;
};

}  // namespace inlay::sdk::detail
