// SPDX-License-Identifier: Apache-2.0
#pragma once

// TextBuilder: a text of any length, put together from pieces.

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace inlay::header_augmenting {

class TextBuilder {
 public:
  TextBuilder() = default;
  TextBuilder(const TextBuilder&) = delete;
  TextBuilder& operator=(const TextBuilder&) = delete;
  ~TextBuilder() { std::free(text_); }

  // add: a VM without memory ends, as with any new.
  TextBuilder& add(std::string_view text) {
    if (text.empty()) return *this;
    if (text_ == nullptr || text.size() > capacity_ - size_) {
      capacity_ = (size_ + text.size()) * 2;
      text_ = static_cast<char*>(std::realloc(text_, capacity_));
      if (text_ == nullptr) __builtin_trap();
    }
    std::memcpy(text_ + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  TextBuilder& add(char c) { return add(std::string_view(&c, 1)); }

  // view: what there is so far; until the next add.
  std::string_view view() const { return {text_, size_}; }
  bool empty() const { return size_ == 0; }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace inlay::header_augmenting
