// SPDX-License-Identifier: Apache-2.0
#pragma once

// Buffer: bytes on their way, as a chain of blocks. Moving data to another buffer moves blocks; a few bytes are copied.
// Blocks come from a per-thread free list and go back to it; a Buffer may be destroyed on another thread.
// Not thread-safe.
//
//     Buffer b;
//     auto space = b.reserve(16384);             // read from a socket into space
//     b.commit(n);
//     downstream.move_from(b);                   // b is empty now
//     iovec v[16]; size_t n = b.iovecs(v, 16); b.drain(written);

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

class Buffer {
 public:
  static constexpr size_t kBlockSize = 16 * 1024;

  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void append(std::string_view bytes);
  void prepend(std::string_view bytes);
  // Takes all bytes of `other` to the end of this one; `other` is empty afterwards.
  void move_from(Buffer& other);
  // Takes the first `n` bytes (n <= other.size()).
  void move_from(Buffer& other, size_t n);
  // Drops the first `n` bytes (n <= size()).
  void drain(size_t n);
  void clear() { drain(size_); }

  // Writable space of at least `at_least` bytes at the end (at most kBlockSize when at_least <= kBlockSize); commit()
  // makes the first n of it part of the buffer. Any other call in between gives the space up.
  std::span<char> reserve(size_t at_least);
  void commit(size_t n);

  // Copies [start, start + length) to `to`; the range must lie inside the buffer.
  void copy_out(size_t start, size_t length, char* to) const;
  // The first contiguous piece; empty for an empty buffer.
  std::string_view front() const;
  // Fills up to `max` iovecs with the buffer's pieces from the start; says how many.
  size_t iovecs(iovec* out, size_t max) const;
  std::string to_string() const;

 private:
  struct Block;
  struct Slice {
    Block* block;
    uint32_t begin;
    uint32_t end;
  };
  static Block* new_block(size_t capacity);
  static void free_block(Block* block);
  void pop_front_slice();
  void drop_empty_tail();
  void push_front(size_t count);

  std::vector<Slice> slices_;  // slices_[first_...] are live
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace inlay
