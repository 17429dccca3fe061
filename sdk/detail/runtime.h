// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a module brings in place of parts of the C library, to be small and quick: the allocator (wasi-libc's takes 10
// KB), memcpy, memmove and memset as the instructions of WebAssembly's bulk memory operations, memchr and strlen in a
// tenth of the size, and the end that libc++ puts to a program in place of an exception. Weak, so that several files of
// one module may include this, and so that a filter may define its own. Nothing of it exists natively.

#ifdef __wasm__

#include <cstddef>
#include <cstdint>
#include <new>
#if __has_include(<__verbose_abort>)
#include <__verbose_abort>
#endif

#include "sdk/detail/allocator.h"

extern "C" unsigned char __heap_base;  // set by the linker: the end of static data and stack

namespace inlay::sdk::detail {

// LinearMemory: the module's one memory, from the end of static data and stack on.
struct LinearMemory {
  static size_t begin() { return reinterpret_cast<size_t>(&__heap_base); }
  static size_t end() { return __builtin_wasm_memory_size(0) * kPage; }
  static bool grow(size_t bytes) { return __builtin_wasm_memory_grow(0, (bytes + kPage - 1) / kPage) != SIZE_MAX; }

 private:
  static constexpr size_t kPage = 65536;
};

inline constinit Allocator<LinearMemory> the_allocator;

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
  auto& allocator = inlay::sdk::detail::the_allocator;
  if (block != nullptr && size <= allocator.capacity(block)) return block;
  void* const larger = allocator.allocate(size);
  if (larger != nullptr && block != nullptr) {
    __builtin_memcpy(larger, block, allocator.capacity(block));
    allocator.release(block);
  }
  return larger;
}

// Alignments above that of every block are not served; nothing in a filter needs them.
INLAY_RUNTIME_ void* aligned_alloc(size_t alignment, size_t size) {
  return alignment <= inlay::sdk::detail::kBlockAlignment ? malloc(size) : nullptr;
}

INLAY_RUNTIME_ int posix_memalign(void** block, size_t alignment, size_t size) {
  constexpr int kNoMemory = 48;
  *block = aligned_alloc(alignment, size);
  return *block != nullptr ? 0 : kNoMemory;
}

INLAY_RUNTIME_ void* memchr(const void* from, int value, size_t size) {
  const auto* at = static_cast<const unsigned char*>(from);
  for (; size != 0; ++at, --size) {
    if (*at == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at);
  }
  return nullptr;
}
INLAY_RUNTIME_ size_t strlen(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
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

// Where libc++ would throw, its own version formats a message for stderr, and the whole of printf comes with it (13
// KB). libc++ 14 has no such function and calls abort().
#if __has_include(<__verbose_abort>)
#ifndef _LIBCPP_VERBOSE_ABORT_NOEXCEPT  // newer than libc++ 19
#define _LIBCPP_VERBOSE_ABORT_NOEXCEPT
#endif
INLAY_RUNTIME_ void std::__libcpp_verbose_abort(const char*, ...) _LIBCPP_VERBOSE_ABORT_NOEXCEPT {
  __builtin_trap();
}
#endif

#undef INLAY_RUNTIME_

#endif  // __wasm__
