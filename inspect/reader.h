// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reader walks through bytes that may be anything. It never reads outside of them, and its first error stays: all that
// is read after it is 0 or empty, so that a caller may read on and ask once at the end.
//
//     Reader in(bytes, 0);
//     const uint32_t count = in.count(2, "imports");      // each takes at least 2 bytes
//     for (uint32_t i = 0; i < count && in.ok(); ++i) in.name("an import's module");
//     if (!in.ok()) return in.error();                    // "... at offset 0x2a"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay::inspect {

class Reader {
 public:
  // `offset` is where `bytes` begins in the whole module; errors speak of the module's offsets. `bytes` must outlive
  // the reader and every view that it gives.
  Reader(std::span<const uint8_t> bytes, size_t offset) : bytes_(bytes), base_(offset) {}

  bool ok() const { return failure_.empty(); }
  bool at_end() const { return position_ == bytes_.size(); }
  size_t left() const { return bytes_.size() - position_; }
  size_t offset() const { return base_ + position_; }
  // kInvalidArgument: what was wrong, and at which offset.
  Error error() const { return {ErrorCode::kInvalidArgument, failure_, {}}; }
  // Ends the reading here, unless it has ended before. `what` is a clause: "the magic number is missing".
  void fail(std::string_view what);

  uint8_t u8(std::string_view what);
  uint32_t u32(std::string_view what) { return static_cast<uint32_t>(leb(32, what)); }
  uint64_t u64(std::string_view what) { return leb(64, what); }
  // A signed number of at most `bits` bits.
  int64_t signed_leb(unsigned bits, std::string_view what);
  // How many things follow that take at least `least` bytes each: more than there is room for is an error.
  uint32_t count(size_t least, std::string_view what);
  std::span<const uint8_t> bytes(size_t size, std::string_view what);
  // A size and that many bytes.
  std::string_view name(std::string_view what);

 private:
  uint64_t leb(unsigned bits, std::string_view what);

  std::span<const uint8_t> bytes_;
  size_t base_ = 0;
  size_t position_ = 0;
  std::string failure_;
};

}  // namespace inlay::inspect
