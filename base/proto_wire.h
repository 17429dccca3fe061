// SPDX-License-Identifier: Apache-2.0
#pragma once

// The wire form of protobuf messages, for the few small ones that the ABI's neighbourhood uses. Reading is total on any
// bytes, looks at each byte once and allocates nothing; what a field means is the caller's. Groups, which proto3 does
// not have, are malformed.
//
//     ProtoReader reader(bytes);
//     for (ProtoField f; reader.next(f);)
//       if (f.number == 1 && f.is_bytes()) name = f.bytes;      // a view into `bytes`; the last of a field counts
//     if (!reader.ok()) return malformed;

#include <cstdint>
#include <string>
#include <string_view>

namespace inlay {

enum class ProtoWire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct ProtoField {
  uint32_t number = 0;
  ProtoWire wire = ProtoWire::kVarint;
  uint64_t value = 0;      // kVarint, kFixed64, kFixed32
  std::string_view bytes;  // kBytes

  bool is_varint() const { return wire == ProtoWire::kVarint; }
  bool is_bytes() const { return wire == ProtoWire::kBytes; }
};

class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}

  // The next field; false at the end and at the first malformed byte.
  bool next(ProtoField& field);
  // No malformed byte has been met.
  bool ok() const { return ok_; }

 private:
  bool varint(uint64_t& value);
  bool fixed(size_t size, uint64_t& value);
  bool fail();

  std::string_view rest_;
  bool ok_ = true;
};

// Writing: each appends to `out`.
void put_varint(std::string& out, uint64_t value);
void put_tag(std::string& out, uint32_t field, ProtoWire wire);
void put_bytes(std::string& out, uint32_t field, std::string_view bytes);
// As proto3 writes scalars: nothing for the default value.
void put_string(std::string& out, uint32_t field, std::string_view text);
void put_bool(std::string& out, uint32_t field, bool value);

}  // namespace inlay
