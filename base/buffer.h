// SPDX-License-Identifier: Apache-2.0
#pragma once

// Buffer: bytes on their way, as a chain of blocks that it owns. Moving data to another buffer moves blocks; up to
// 1024 bytes that fit behind the other's last are copied instead.
//
// Not thread-safe, but bound to no thread: one may fill it and another destroy it. Blocks of kBlockSize come from a
// free list of the thread that needs one, and go to that of the thread that frees one, which keeps up to 64 of them (1
// MiB) until it ends. Where there is no memory, std::bad_alloc is thrown; nothing else can fail.
//
//     ssize_t relay(int from, int to, Buffer& waiting) {
//       const std::span<char> space = waiting.reserve(Buffer::kBlockSize);
//       const ssize_t got = read(from, space.data(), space.size());
//       if (got > 0) waiting.commit(static_cast<size_t>(got));
//       iovec pieces[16];
//       const size_t count = waiting.iovecs(pieces, 16);
//       const ssize_t sent = writev(to, pieces, static_cast<int>(count));
//       if (sent > 0) waiting.drain(static_cast<size_t>(sent));
//       return sent;
//     }

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
  // What a block holds, in bytes; a larger one is made only where reserve() is asked for more.
  static constexpr size_t kBlockSize = 16 * 1024;

  // An empty buffer has no block. One that was moved from is empty.
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Copy `bytes` to the end, or to the beginning.
  void append(std::string_view bytes);
  void prepend(std::string_view bytes);
  // Moves all bytes of `other` to the end of this one; `other` is empty afterwards. Nothing happens if both are the
  // same buffer.
  void move_from(Buffer& other);
  // Moves its first `n` bytes, or all if it has fewer. The bytes of a block that is split are copied.
  void move_from(Buffer& other, size_t n);
  // Drops the first `n` bytes, or all if there are fewer, and frees blocks that are empty then.
  void drain(size_t n);
  void clear() { drain(size_); }

  // Space for `at_least` bytes (below 4 GiB) or more behind the last one, uninitialised: the rest of the last block, or
  // a new one. commit() makes the first `n` of it part of the buffer, at most all of it. Any other change in between
  // gives the space up, and commit() must not follow it.
  std::span<char> reserve(size_t at_least);
  void commit(size_t n);

  // Copies the bytes [start, start + length) to `to`, those of them that there are.
  void copy_out(size_t start, size_t length, char* to) const;
  // The bytes of the first block; empty for an empty buffer. The view is valid until the buffer is changed next.
  std::string_view front() const;
  // Fills up to `max` iovecs with the buffer's pieces, from the start and in order, and returns how many it has filled.
  // They are valid until the buffer is changed next. Nothing says whether there are more: compare with size().
  size_t iovecs(iovec* out, size_t max) const;
  // A copy of all bytes.
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
