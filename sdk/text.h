// SPDX-License-Identifier: Apache-2.0
#pragma once

// Line: a line of text put together on the stack from strings and numbers, without a formatting library (a formatter
// costs a guest tens of kilobytes). What does not fit is cut off and marked with "...".
//
//     sdk::Line line;
//     line.add("status ").add(404u);

#include <cstdint>
#include <cstring>
#include <string_view>

namespace inlay::sdk {

class Line {
 public:
  static constexpr size_t kMaxSize = 512;

  Line& add(std::string_view text) {
    const size_t room = kMaxSize - size_;
    const size_t n = text.size() < room ? text.size() : room;
    if (n != 0) std::memcpy(text_ + size_, text.data(), n);
    size_ += n;
    if (n < text.size()) std::memcpy(text_ + kMaxSize - 3, "...", 3);
    return *this;
  }

  Line& add(const char* text) { return add(std::string_view(text)); }

  // add: in decimal. Negative numbers are not needed by any caller.
  Line& add(uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return add(std::string_view(digits + at, sizeof digits - at));
  }
  Line& add(uint32_t number) { return add(uint64_t{number}); }

  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[kMaxSize];
  size_t size_ = 0;
};

}  // namespace inlay::sdk
