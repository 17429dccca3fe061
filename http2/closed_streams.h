// SPDX-License-Identifier: Apache-2.0
#pragma once

// ClosedStreams: the streams that the peer itself has ended or reset last. What it sends on one of them still is its
// mistake (RFC 9113, section 5.1), where frames on a stream that this side has reset may have been on their way.
// nghttp2 would keep all that it knows of as many streams as may be open, some hundred bytes each.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace inlay::http2 {

class ClosedStreams {
 public:
  static constexpr size_t kMost = 32;  // an older one is forgotten: frames on it are dropped

  void add(int32_t id) {
    ids_[next_] = id;
    next_ = (next_ + 1) % kMost;
  }
  bool has(int32_t id) const { return id != 0 && std::find(ids_.begin(), ids_.end(), id) != ids_.end(); }

 private:
  std::array<int32_t, kMost> ids_{};
  size_t next_ = 0;
};

}  // namespace inlay::http2
