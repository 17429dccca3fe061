// SPDX-License-Identifier: Apache-2.0
#pragma once

// Line: a line of text put together on the stack from strings and numbers, without a formatting library (a formatter
// costs a guest tens of kilobytes). What does not fit is cut off and marked with "...". Nothing fails or allocates.
//
//     Line line;
//     line.add("status ").add(404).add(", retried: ").add(true).add(' ').add(Status::kNotFound);
//     (void)set_property("my_filter.note", line.view());  // "status 404, retried: true NotFound"

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "abi/types.h"

namespace inlay::sdk {

// status_name: as in the ABI's documents ("NotFound"); "unknown status" for a number that is none of them. Static
// storage.
constexpr std::string_view status_name(abi::Status status) {
  constexpr std::string_view kNames[] = {
      "Ok",           "NotFound",       "BadArgument",         "SerializationFailure",
      "ParseFailure", "BadExpression",  "InvalidMemoryAccess", "Empty",
      "CasMismatch",  "ResultMismatch", "InternalFailure",     "BrokenConnection",
      "Unimplemented"};
  const auto number = static_cast<uint32_t>(status);
  return number < sizeof kNames / sizeof kNames[0] ? kNames[number] : "unknown status";
}

// Line is its bytes: half a kilobyte of stack.
class Line {
 public:
  static constexpr size_t kMaxSize = 512;

  // add: appends, and gives the line itself, for the next part. Once a part was cut off, what follows is left out too.
  Line& add(std::string_view text) {
    const size_t room = kMaxSize - size_;
    const size_t n = text.size() < room ? text.size() : room;
    if (n != 0) std::memcpy(text_ + size_, text.data(), n);
    size_ += n;
    if (n < text.size()) std::memcpy(text_ + kMaxSize - 3, "...", 3);
    return *this;
  }

  Line& add(const char* text) { return add(std::string_view(text)); }

  // add: an integer in decimal, a bool as true or false, a char as itself, a status by its name.
  template <class T>
  requires std::is_integral_v<T> Line& add(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return add(value ? std::string_view("true") : std::string_view("false"));
    } else if constexpr (std::is_same_v<T, char>) {
      return add(std::string_view(&value, 1));
    } else if constexpr (std::is_signed_v<T>) {
      const auto number = static_cast<uint64_t>(int64_t{value});
      return value < 0 ? add_number(0 - number, true) : add_number(number, false);
    } else {
      return add_number(value, false);
    }
  }
  Line& add(abi::Status status) { return add(status_name(status)); }

  // view: what there is so far; valid until the line is changed or ends.
  std::string_view view() const { return {text_, size_}; }

 private:
  Line& add_number(uint64_t number, bool negative) {
    char text[20];  // as long as the largest, and the smallest with its sign
    size_t at = sizeof text;
    do {
      text[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    if (negative) text[--at] = '-';
    return add(std::string_view(text + at, sizeof text - at));
  }

  char text_[kMaxSize];
  size_t size_ = 0;
};

}  // namespace inlay::sdk
