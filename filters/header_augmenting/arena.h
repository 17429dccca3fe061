// SPDX-License-Identifier: Apache-2.0
#pragma once

// Arena: memory that is taken piece by piece and given back all at once, for what is read once and kept as a whole: a
// configuration, the headers of an answer. Pieces hold no objects with destructors.

#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace inlay::header_augmenting {

class Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept : last_(std::exchange(other.last_, nullptr)) {}
  Arena& operator=(Arena&& other) noexcept {
    std::swap(last_, other.last_);
    return *this;
  }
  ~Arena() {
    while (last_ != nullptr) ::operator delete(std::exchange(last_, last_->previous));
  }

  // take: `size` bytes, aligned for anything. A VM without memory ends, as with any new.
  void* take(size_t size) {
    void* const block = ::operator new(sizeof(Block) + size);
    last_ = ::new (block) Block{last_};
    return last_ + 1;
  }

  // array: `size` elements of zeros, which T() is for all that is put into one. The pointer is not null even for a size
  // of 0, so that an empty array can be told from none.
  template <class T>
  std::span<T> array(size_t size) {
    static_assert(std::is_trivially_copyable_v<T>);
    return {static_cast<T*>(zeros(size * sizeof(T))), size};
  }

  // copy: `text`, as long as the arena lives; lower: the same with ASCII letters in lower case.
  std::string_view copy(std::string_view text) { return {text_of(text), text.size()}; }
  std::string_view lower(std::string_view text) {
    char* const at = text_of(text);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] >= 'A' && text[i] <= 'Z') at[i] = static_cast<char>(text[i] | 0x20);
    }
    return {at, text.size()};
  }

 private:
  struct alignas(16) Block {
    Block* previous;
  };

  [[gnu::noinline]] void* zeros(size_t size) { return std::memset(take(size), 0, size); }

  char* text_of(std::string_view text) {
    char* const at = static_cast<char*>(take(text.size()));
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return at;
  }

  Block* last_ = nullptr;
};

}  // namespace inlay::header_augmenting
