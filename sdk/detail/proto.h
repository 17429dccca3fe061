// SPDX-License-Identifier: Apache-2.0
#pragma once

// The little of protobuf's wire form that foreign functions need: flat messages of strings and small numbers. A
// formatter or a generated class would cost a guest tens of kilobytes.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "sdk/bytes.h"

namespace inlay::sdk::detail {

// ProtoWriter: a message of at most `room` bytes; each string takes 12 bytes more than its length at most, each number
// 12. Without memory it writes nothing, and ok() is false.
class ProtoWriter {
 public:
  static constexpr size_t kFieldCost = 12;

  explicit ProtoWriter(size_t room) : bytes_(Bytes::allocate(room)) {}

  ProtoWriter& add(uint32_t field, std::string_view text) {
    if (text.empty() || !ok()) return *this;
    put(uint64_t{field} << 3 | 2);
    put(text.size());
    std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  ProtoWriter& add(uint32_t field, uint32_t number) {
    if (number == 0 || !ok()) return *this;
    put(uint64_t{field} << 3);
    put(number);
    return *this;
  }

  bool ok() const { return bytes_.data() != nullptr; }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  void put(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.data()[size_++] = static_cast<char>(value | 0x80);
    bytes_.data()[size_++] = static_cast<char>(value);
  }

  Bytes bytes_;
  size_t size_ = 0;
};

// ProtoValue: a number, or a string as a view into the message.
struct ProtoValue {
  uint64_t number = 0;
  std::string_view text;
};

// proto_field: the last field of that number; nullopt if there is none, or the message is malformed before it comes.
inline std::optional<ProtoValue> proto_field(std::string_view message, uint32_t field) {
  size_t at = 0;
  const auto varint = [&](uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && at < message.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(message[at++]);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  };
  std::optional<ProtoValue> found;
  while (at < message.size()) {
    uint64_t tag = 0;
    ProtoValue value;
    if (!varint(tag)) return found;
    if ((tag & 7) == 2) {
      uint64_t size = 0;
      if (!varint(size) || size > message.size() - at) return found;
      value.text = message.substr(at, size);
      at += size;
    } else if ((tag & 7) != 0 || !varint(value.number)) {
      return found;
    }
    if (tag >> 3 == field) found = value;
  }
  return found;
}

}  // namespace inlay::sdk::detail
