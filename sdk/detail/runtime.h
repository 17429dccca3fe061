// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a module brings in place of parts of the C library, to be small and quick: the allocator (wasi-libc's takes 10
// KB) and memcpy, memmove and memset as the instructions of WebAssembly's bulk memory operations. Weak, so that several
// files of one module may include this, and so that a filter may define its own. Nothing of it exists natively.
//
// The allocator: blocks come in size classes, four for each power of two, so at most a quarter of a block is unused. A
// freed block waits in its class's list for the next request of that class; new blocks are cut from the end of the
// memory. Allocation and release take a few instructions each. Blocks are never merged: what a module can hold in
// memory is the sum of the peaks of each class. The block's class stands in the 8 bytes before it.

#ifdef __wasm__

#include <cstddef>
#include <cstdint>
#include <new>

extern "C" unsigned char __heap_base;  // set by the linker: the end of static data and stack

namespace inlay::sdk::detail {

class Allocator {
 public:
  static constexpr size_t kAlignment = 16;
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
  static constexpr size_t kPage = 65536;
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
      next_ = (reinterpret_cast<size_t>(&__heap_base) + kHeader + kAlignment - 1) / kAlignment * kAlignment - kHeader;
    }
    const size_t end = __builtin_wasm_memory_size(0) * kPage;
    if (next_ > end || size > end - next_) {
      const size_t missing = size - (next_ < end ? end - next_ : 0) + (next_ > end ? next_ - end : 0);
      if (__builtin_wasm_memory_grow(0, (missing + kPage - 1) / kPage) == SIZE_MAX) return nullptr;
    }
    auto* const payload = reinterpret_cast<char*>(next_ + kHeader);
    reinterpret_cast<uint32_t*>(payload)[-1] = size_class;
    next_ += size;
    return payload;
  }

  Block* free_[kClasses] = {};
  size_t next_ = 0;
};

inline constinit Allocator the_allocator;

}  // namespace inlay::sdk::detail

#define INLAY_RUNTIME_ __attribute__((weak, used, no_builtin))

extern "C" {

INLAY_RUNTIME_ void* malloc(size_t size) {
  return inlay::sdk::detail::the_allocator.allocate(size);
}

INLAY_RUNTIME_ void free(void* block) {
  inlay::sdk::detail::the_allocator.release(block);
}

INLAY_RUNTIME_ void* calloc(size_t count, size_t size) {
  size_t total = 0;
  if (__builtin_mul_overflow(count, size, &total)) return nullptr;
  void* const block = inlay::sdk::detail::the_allocator.allocate(total);
  if (block != nullptr) __builtin_memset(block, 0, total);
  return block;
}

INLAY_RUNTIME_ void* realloc(void* block, size_t size) {
  using inlay::sdk::detail::Allocator;
  if (block != nullptr && size <= Allocator::capacity(block)) return block;
  void* const larger = inlay::sdk::detail::the_allocator.allocate(size);
  if (larger != nullptr && block != nullptr) {
    __builtin_memcpy(larger, block, Allocator::capacity(block));
    inlay::sdk::detail::the_allocator.release(block);
  }
  return larger;
}

// Alignments above that of every block are not served; nothing in a filter needs them.
INLAY_RUNTIME_ void* aligned_alloc(size_t alignment, size_t size) {
  return alignment <= inlay::sdk::detail::Allocator::kAlignment ? malloc(size) : nullptr;
}

INLAY_RUNTIME_ int posix_memalign(void** block, size_t alignment, size_t size) {
  constexpr int kNoMemory = 48;
  *block = aligned_alloc(alignment, size);
  return *block != nullptr ? 0 : kNoMemory;
}

#ifdef __wasm_bulk_memory__
INLAY_RUNTIME_ void* memcpy(void* __restrict to, const void* __restrict from, size_t size) {
  return __builtin_memcpy(to, from, size);
}
INLAY_RUNTIME_ void* memmove(void* to, const void* from, size_t size) {
  return __builtin_memmove(to, from, size);
}
INLAY_RUNTIME_ void* memset(void* at, int value, size_t size) {
  return __builtin_memset(at, value, size);
}
#endif

}  // extern "C"

// A new that finds no memory ends the VM: the host replaces it.
INLAY_RUNTIME_ void* operator new(size_t size) {
  void* const block = malloc(size);
  if (block == nullptr) __builtin_trap();
  return block;
}
INLAY_RUNTIME_ void* operator new[](size_t size) {
  return ::operator new(size);
}
INLAY_RUNTIME_ void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return malloc(size);
}
INLAY_RUNTIME_ void operator delete(void* block) noexcept {
  free(block);
}
INLAY_RUNTIME_ void operator delete[](void* block) noexcept {
  free(block);
}
INLAY_RUNTIME_ void operator delete(void* block, size_t) noexcept {
  free(block);
}
INLAY_RUNTIME_ void operator delete[](void* block, size_t) noexcept {
  free(block);
}

#undef INLAY_RUNTIME_

#endif  // __wasm__
