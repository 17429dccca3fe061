// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/buffer_memory.h"

namespace inlay {

struct Buffer::Block {
  Block* next;  // in the free list
  uint32_t capacity;
  char* data() { return reinterpret_cast<char*>(this + 1); }
};

namespace {

constexpr size_t kMaxFreeBlocks = 64;  // a thread; 1 MiB
constexpr size_t kCompactAt = 32;      // dead slices
constexpr size_t kCopied = 1024;       // so few bytes are copied, not moved

// The list itself has no destructor: buffers may outlive this thread's Cleaner.
struct FreeList {
  void* head = nullptr;
  size_t count = 0;
  bool closed = false;
};
thread_local FreeList free_list;
thread_local BlockCount counted;

struct Cleaner {
  ~Cleaner() {
    free_list.closed = true;
    while (free_list.head) {
      void* block = free_list.head;
      std::memcpy(&free_list.head, block, sizeof(void*));  // Block::next is its first member.
      ::operator delete(block);
    }
  }
};
thread_local Cleaner cleaner;

}  // namespace

BlockCount& block_count() {
  return counted;
}

Buffer::Block* Buffer::new_block(size_t capacity) {
  if (++counted.live > counted.most) counted.most = counted.live;
  if (capacity == kBlockSize && free_list.head) {
    auto* block = static_cast<Block*>(free_list.head);
    free_list.head = block->next;
    --free_list.count;
    return block;
  }
  return ::new (::operator new(sizeof(Block) + capacity)) Block{nullptr, static_cast<uint32_t>(capacity)};
}

void Buffer::free_block(Block* block) {
  --counted.live;
  if (block->capacity != kBlockSize || free_list.count >= kMaxFreeBlocks || free_list.closed) {
    ::operator delete(block);
    return;
  }
  (void)&cleaner;  // Makes the thread free its list at its end.
  block->next = static_cast<Block*>(free_list.head);
  free_list.head = block;
  ++free_list.count;
}

Buffer::Buffer(Buffer&& other) noexcept
    : slices_(std::move(other.slices_)), first_(std::exchange(other.first_, 0)), size_(std::exchange(other.size_, 0)) {
  other.slices_.clear();
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  for (size_t i = first_; i < slices_.size(); ++i) free_block(slices_[i].block);
  slices_ = std::move(other.slices_);
  other.slices_.clear();
  first_ = std::exchange(other.first_, 0);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Buffer::~Buffer() {
  for (size_t i = first_; i < slices_.size(); ++i) free_block(slices_[i].block);
}

void Buffer::pop_front_slice() {
  ++first_;
  if (first_ == slices_.size()) {
    slices_.clear();
    first_ = 0;
  } else if (first_ >= kCompactAt && first_ * 2 >= slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

// reserve() without commit() leaves an empty slice at the end, and only there.
void Buffer::drop_empty_tail() {
  if (first_ == slices_.size() || slices_.back().begin != slices_.back().end) return;
  free_block(slices_.back().block);
  slices_.pop_back();
  if (first_ == slices_.size()) {
    slices_.clear();
    first_ = 0;
  }
}

// Makes `count` slices before the first, without blocks yet.
void Buffer::push_front(size_t count) {
  if (first_ < count) {
    slices_.insert(slices_.begin(), count - first_, Slice{nullptr, 0, 0});
    first_ = count;
  }
  first_ -= count;
}

void Buffer::append(std::string_view bytes) {
  while (!bytes.empty()) {
    auto space = reserve(1);
    const size_t n = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), n);
    commit(n);
    bytes.remove_prefix(n);
  }
}

void Buffer::prepend(std::string_view bytes) {
  drop_empty_tail();
  if (first_ < slices_.size()) {
    Slice& slice = slices_[first_];
    const size_t n = std::min<size_t>(slice.begin, bytes.size());
    slice.begin -= static_cast<uint32_t>(n);
    std::memcpy(slice.block->data() + slice.begin, bytes.data() + bytes.size() - n, n);
    bytes.remove_suffix(n);
    size_ += n;
  }
  if (bytes.empty()) return;
  const size_t blocks = (bytes.size() + kBlockSize - 1) / kBlockSize;
  push_front(blocks);
  for (size_t i = blocks; i-- > 0;) {
    const size_t n = std::min(kBlockSize, bytes.size());
    Block* block = new_block(kBlockSize);
    slices_[first_ + i] = {block, static_cast<uint32_t>(kBlockSize - n), static_cast<uint32_t>(kBlockSize)};
    std::memcpy(block->data() + kBlockSize - n, bytes.data() + bytes.size() - n, n);
    bytes.remove_suffix(n);
    size_ += n;
  }
}

void Buffer::move_from(Buffer& other) {
  if (this == &other) return;
  other.drop_empty_tail();
  drop_empty_tail();
  if (empty()) {
    std::swap(slices_, other.slices_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
    return;
  }
  // One piece of memory is one system call's plain argument, and a block of 16 KiB is free again.
  const Slice& tail = slices_.back();
  if (other.size_ <= kCopied && tail.block->capacity - tail.end >= other.size_) {
    for (size_t i = other.first_; i < other.slices_.size(); ++i) {
      const Slice& piece = other.slices_[i];
      append({piece.block->data() + piece.begin, piece.end - piece.begin});
    }
    return other.clear();
  }
  slices_.insert(slices_.end(), other.slices_.begin() + static_cast<ptrdiff_t>(other.first_), other.slices_.end());
  size_ += std::exchange(other.size_, 0);
  other.slices_.clear();
  other.first_ = 0;
}

void Buffer::move_from(Buffer& other, size_t n) {
  if (this == &other) return;
  if (n >= other.size_) return move_from(other);
  drop_empty_tail();
  while (n > 0) {
    Slice& slice = other.slices_[other.first_];
    const size_t length = slice.end - slice.begin;
    if (length > n) {  // The last block is shared between both: copy the part.
      append({slice.block->data() + slice.begin, n});
      other.drain(n);
      return;
    }
    slices_.push_back(slice);
    size_ += length;
    other.size_ -= length;
    other.pop_front_slice();
    n -= length;
  }
}

void Buffer::drain(size_t n) {
  n = std::min(n, size_);
  size_ -= n;
  if (size_ == 0) {
    for (size_t i = first_; i < slices_.size(); ++i) free_block(slices_[i].block);
    slices_.clear();
    first_ = 0;
    return;
  }
  while (n > 0) {
    Slice& slice = slices_[first_];
    const size_t length = slice.end - slice.begin;
    if (length > n) {
      slice.begin += static_cast<uint32_t>(n);
      return;
    }
    free_block(slice.block);
    pop_front_slice();
    n -= length;
  }
}

std::span<char> Buffer::reserve(size_t at_least) {
  at_least = std::max<size_t>(at_least, 1);
  if (first_ < slices_.size()) {
    const Slice& tail = slices_.back();
    if (tail.block->capacity - tail.end >= at_least)
      return {tail.block->data() + tail.end, tail.block->capacity - tail.end};
    drop_empty_tail();
  }
  slices_.push_back({new_block(std::max(at_least, kBlockSize)), 0, 0});
  return {slices_.back().block->data(), slices_.back().block->capacity};
}

void Buffer::commit(size_t n) {
  if (first_ == slices_.size()) return;
  Slice& tail = slices_.back();
  n = std::min<size_t>(n, tail.block->capacity - tail.end);
  tail.end += static_cast<uint32_t>(n);
  size_ += n;
}

void Buffer::copy_out(size_t start, size_t length, char* to) const {
  for (size_t i = first_; i < slices_.size() && length > 0; ++i) {
    const Slice& slice = slices_[i];
    const size_t here = slice.end - slice.begin;
    if (start >= here) {
      start -= here;
      continue;
    }
    const size_t n = std::min(here - start, length);
    std::memcpy(to, slice.block->data() + slice.begin + start, n);
    to += n;
    length -= n;
    start = 0;
  }
}

std::string_view Buffer::front() const {
  if (empty()) return {};
  const Slice& slice = slices_[first_];
  return {slice.block->data() + slice.begin, slice.end - slice.begin};
}

size_t Buffer::iovecs(iovec* out, size_t max) const {
  size_t n = 0;
  for (size_t i = first_; i < slices_.size() && n < max; ++i) {
    const Slice& slice = slices_[i];
    if (slice.begin == slice.end) continue;
    out[n++] = {slice.block->data() + slice.begin, slice.end - slice.begin};
  }
  return n;
}

std::string Buffer::to_string() const {
  std::string text(size_, '\0');
  copy_out(0, size_, text.data());
  return text;
}

}  // namespace inlay
