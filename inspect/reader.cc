// SPDX-License-Identifier: Apache-2.0
#include "inspect/reader.h"

#include <cinttypes>
#include <cstdio>

namespace inlay::inspect {

void Reader::fail(std::string_view what) {
  if (!ok()) return;
  char place[32];
  std::snprintf(place, sizeof place, " at offset 0x%" PRIx64, static_cast<uint64_t>(offset()));
  failure_.assign(what).append(place);
  position_ = bytes_.size();
}

uint8_t Reader::u8(std::string_view what) {
  if (left() > 0) return bytes_[position_++];
  fail(std::string("the bytes end before ").append(what));
  return 0;
}

uint64_t Reader::leb(unsigned bits, std::string_view what) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    const uint8_t byte = u8(what);
    if (!ok()) return 0;
    const unsigned room = bits - shift;
    if (room < 7 && ((byte & 0x7f) >> room) != 0) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  fail(std::string(what).append(" is no number of ").append(std::to_string(bits)).append(" bits"));
  return 0;
}

int64_t Reader::signed_leb(unsigned bits, std::string_view what) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    const uint8_t byte = u8(what);
    if (!ok()) return 0;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~uint64_t{0} << (shift + 7);
    return static_cast<int64_t>(value);
  }
  fail(std::string(what).append(" is no number of ").append(std::to_string(bits)).append(" bits"));
  return 0;
}

uint32_t Reader::count(size_t least, std::string_view what) {
  const uint32_t n = u32(std::string("the number of ").append(what));
  if (n <= left() / least) return n;
  fail(std::to_string(n).append(" ").append(what).append(" do not fit into ").append(std::to_string(left())) +
       " bytes");
  return 0;
}

std::span<const uint8_t> Reader::bytes(size_t size, std::string_view what) {
  if (size > left()) {
    fail(std::string(what).append(" is said to have ").append(std::to_string(size)).append(" bytes, of which ") +
         std::to_string(left()) + " are there,");
    return {};
  }
  const auto taken = bytes_.subspan(position_, size);
  position_ += size;
  return taken;
}

std::string_view Reader::name(std::string_view what) {
  const uint32_t size = u32(what);
  const auto text = bytes(size, what);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

}  // namespace inlay::inspect
