// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeaderSet: the headers that a worker adds to requests, ready to be handed to the host: one block of bytes, and views
// into it. Made once for each new version; read on the hot path.

#include <cstddef>
#include <span>
#include <string_view>

#include "abi/pairs.h"
#include "filters/header_augmenting/arena.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

class HeaderSet {
 public:
  // assign: takes over a copy of `pairs`, the wire form of a header map. False, and unchanged, if it is malformed.
  bool assign(std::string_view pairs);

  const abi::Pair* begin() const { return headers_.data(); }
  const abi::Pair* end() const { return headers_.data() + headers_.size(); }
  size_t size() const { return headers_.size(); }

  // value: what ${source:NAME} of this set's source stands for; empty if the source is not referred to.
  std::string_view value() const { return value_; }

  // aliases: every alias (request_match.h) of the set's names, while there are kMaxAliases at most: for so many, taking
  // each off a request costs a host less than showing all headers of the request, in which to look for them. A name
  // with n dashes has 2^n - 1 of them.
  static constexpr size_t kMaxAliases = 7;
  std::span<const std::string_view> aliases() const { return aliases_; }
  bool has_more_aliases() const { return has_more_aliases_; }  // then aliases() is empty

 private:
  void find_aliases();

  sdk::Bytes bytes_;
  Arena arena_;  // of what follows
  std::span<abi::Pair> headers_;
  std::string_view value_;
  std::span<std::string_view> aliases_;
  bool has_more_aliases_ = false;
};

}  // namespace inlay::header_augmenting
