// SPDX-License-Identifier: Apache-2.0
#include "base/proto_wire.h"

namespace inlay {

bool ProtoReader::fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

bool ProtoReader::varint(uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < 10 && i < rest_.size(); ++i) {
    const auto byte = static_cast<uint8_t>(rest_[i]);
    if (i == 9 && byte > 1) return false;  // more than 64 bits
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if ((byte & 0x80) != 0) continue;
    rest_.remove_prefix(i + 1);
    return true;
  }
  return false;
}

bool ProtoReader::fixed(size_t size, uint64_t& value) {
  if (rest_.size() < size) return false;
  value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{static_cast<uint8_t>(rest_[i])} << (8 * i);
  rest_.remove_prefix(size);
  return true;
}

bool ProtoReader::next(ProtoField& field) {
  if (rest_.empty()) return false;
  uint64_t tag = 0;
  if (!varint(tag) || tag > UINT32_MAX || tag < 8) return fail();
  field.number = static_cast<uint32_t>(tag >> 3);
  field.wire = static_cast<ProtoWire>(tag & 7);
  field.value = 0;
  field.bytes = {};
  switch (field.wire) {
    case ProtoWire::kVarint:
      return varint(field.value) || fail();
    case ProtoWire::kFixed64:
      return fixed(8, field.value) || fail();
    case ProtoWire::kFixed32:
      return fixed(4, field.value) || fail();
    case ProtoWire::kBytes: {
      uint64_t size = 0;
      if (!varint(size) || size > rest_.size()) return fail();
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  return fail();
}

void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_tag(std::string& out, uint32_t field, ProtoWire wire) {
  put_varint(out, (field << 3) | static_cast<uint32_t>(wire));
}

void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_tag(out, field, ProtoWire::kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_string(std::string& out, uint32_t field, std::string_view text) {
  if (!text.empty()) put_bytes(out, field, text);
}

void put_bool(std::string& out, uint32_t field, bool value) {
  if (!value) return;
  put_tag(out, field, ProtoWire::kVarint);
  put_varint(out, 1);
}

}  // namespace inlay
