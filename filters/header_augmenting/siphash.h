// SPDX-License-Identifier: Apache-2.0
#pragma once

// SipHash-1-3 with 128 bits (Aumasson and Bernstein, 2012, with fewer rounds): by which a worker finds again what it
// has seen, without keeping it. Who does not know the key, and sees no hash, can make no two texts that have one hash.

#include <cstdint>
#include <string_view>

namespace inlay::header_augmenting {

struct Hash128 {
  uint64_t a = 0;
  uint64_t b = 0;
  bool operator==(const Hash128&) const = default;
};

// sip_hash: of `text` under `key`, its two halves little-endian.
Hash128 sip_hash(const Hash128& key, std::string_view text);

}  // namespace inlay::header_augmenting
