// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeaderSet: the headers that a worker adds to requests, ready to be handed to the host: one block of bytes, and views
// into it. Made once for each new version; read on the hot path.

#include <cstddef>
#include <string_view>
#include <vector>

#include "abi/pairs.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

class HeaderSet {
 public:
  // assign: takes over a copy of `pairs`, the wire form of a header map. False, and unchanged, if it is malformed.
  bool assign(std::string_view pairs) {
    sdk::Bytes bytes = sdk::Bytes::allocate(pairs.size());
    if (bytes.data() == nullptr) return false;
    pairs.copy(bytes.data(), bytes.size());
    auto reader = abi::PairsReader::open(bytes.view());
    if (!reader) return false;
    std::vector<abi::Pair> headers;
    headers.reserve(reader->size());
    for (abi::Pair pair; reader->next(pair);) headers.push_back(pair);
    bytes_ = std::move(bytes);
    headers_ = std::move(headers);
    return true;
  }

  const abi::Pair* begin() const { return headers_.data(); }
  const abi::Pair* end() const { return headers_.data() + headers_.size(); }
  size_t size() const { return headers_.size(); }

 private:
  sdk::Bytes bytes_;
  std::vector<abi::Pair> headers_;
};

}  // namespace inlay::header_augmenting
