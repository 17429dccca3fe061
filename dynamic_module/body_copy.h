// SPDX-License-Identifier: Apache-2.0
#pragma once

// BodyCopy: the body of one direction, in the form that host/ has it in. Envoy has two bodies, what has come just now
// and what it holds back for the filter; a guest sees one, the second and then the first. Read from Envoy when a guest
// first asks for it, and written back before the hook returns, if its bytes are others by then. As for headers, the
// copy is kept while the stream is stopped.

#include <cstddef>

#include "base/buffer.h"
#include "dynamic_module/envoy_abi.h"
#include "host/embedder.h"

namespace inlay::dynamic_module {

class BodyCopy {
 public:
  explicit BodyCopy(host::Direction direction) : request_(direction == host::Direction::kRequest) {}

  // A body hook begins. `buffering`: the guest sees what is held back, too.
  void begin(envoy::Filter* filter, bool buffering);
  // In the body hook: how many bytes the guest sees.
  size_t size(envoy::Filter* filter) const;
  // In the body hook: the guest waits for all of the body, and Envoy will not hold back what has come now, too.
  bool over_limit(envoy::Filter* filter) const;
  // In a hook: the body. Anywhere else: what was read, or nullptr.
  Buffer& read(envoy::Filter* filter);
  Buffer* kept() { return loaded_ ? &content_ : nullptr; }
  // In a hook: gives Envoy the bytes, if they are not those that it has.
  void write_back(envoy::Filter* filter);
  // The body hook ends. `held`: Envoy is told to hold back what the guest saw, and the copy is kept. Until the hook has
  // returned and Envoy has done it, the two differ: write_back() does nothing before the next hook calls settle().
  void end(envoy::Filter* filter, bool held);
  void settle() { in_transit_ = false; }

  void forget();

 private:
  envoy::BodyType received() const {
    return request_ ? envoy::BodyType::kReceivedRequest : envoy::BodyType::kReceivedResponse;
  }
  envoy::BodyType buffered() const {
    return request_ ? envoy::BodyType::kBufferedRequest : envoy::BodyType::kBufferedResponse;
  }

  const bool request_;
  bool in_hook_ = false;    // a body hook: there is a received body
  bool is_held_ = false;    // what has come is what is held back, for a filter before this one
  bool with_held_ = false;  // the guest sees what is held back
  bool loaded_ = false;
  bool in_transit_ = false;
  Buffer content_;
};

}  // namespace inlay::dynamic_module
