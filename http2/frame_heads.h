// SPDX-License-Identifier: Apache-2.0
#pragma once

// FrameHeads finds the heads of frames in what a client sends, in whatever pieces (RFC 9113, section 4.1), for what
// nghttp2 tells nobody: DATA on streams that are over.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace inlay::http2 {

struct FrameHead {
  uint8_t type = 0;
  int32_t stream_id = 0;
};

class FrameHeads {
 public:
  // Goes on to behind the next head that ends in `bytes`, or to their end. How many it has passed.
  size_t next(std::string_view bytes) {
    const size_t skipped = std::min(skip_, bytes.size());
    skip_ -= skipped;
    const size_t taken = std::min(head_.size() - size_, bytes.size() - skipped);
    std::copy_n(bytes.data() + skipped, taken, head_.begin() + static_cast<ptrdiff_t>(size_));
    size_ += taken;
    found_ = size_ == head_.size();
    if (found_) {
      skip_ = byte(0) << 16 | byte(1) << 8 | byte(2);
      size_ = 0;
    }
    return skipped + taken;
  }
  // Whether next() has passed one, and which.
  bool found() const { return found_; }
  FrameHead head() const {
    const uint32_t id = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
    return {static_cast<uint8_t>(byte(3)), static_cast<int32_t>(id & 0x7fffffffu)};
  }

 private:
  uint32_t byte(size_t i) const { return static_cast<uint8_t>(head_[i]); }

  size_t skip_ = 24;  // the client's preface, then payloads
  std::array<char, 9> head_{};
  size_t size_ = 0;  // of the head that has come in part
  bool found_ = false;
};

}  // namespace inlay::http2
