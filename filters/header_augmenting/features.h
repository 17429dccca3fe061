// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a module of this filter can do. Two are made of the same sources but for one file: header_augmenting.wasm has
// all of it (features.cc), header_augmenting_lean.wasm what sources with a configuration of their own need
// (lean/features.cc). As a module is optimised as a whole, what hangs on a feature that it lacks is not in it.

#include <cstdint>

namespace inlay::header_augmenting {

enum Feature : uint8_t {
  kText = 1,        // format "text", and the end of a JWT
  kReferences = 2,  // ${source:NAME}
  kAssertions = 4,  // a client's JWT, given or signed by the host; and the password grant
  kHold = 8,        // requests that wait for headers
  kSvid = 16,       // format "jwt_svid"; with kText
  kExchange = 32,   // sources that are asked for each request; with kAssertions and kHold
  kHints = 128,     // the name that may have been meant, a token endpoint's own words, dates in retry-after, whether it
                    // was the proxy that answered
};

// kFeatures: those of this module.
extern const uint8_t kFeatures;

// has: whether this module has all of `features`; of none, always.
inline bool has(uint8_t features) {
  return (features & ~kFeatures) == 0;
}

}  // namespace inlay::header_augmenting
