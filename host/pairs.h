// SPDX-License-Identifier: Apache-2.0
#pragma once

// Header maps as they cross the guest's boundary: abi/pairs.h, with a host's limits, on HeaderMap.

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "http/header_map.h"

namespace inlay::host {

// What the host takes from a guest; more is malformed.
inline constexpr size_t kMaxPairsBytes = 1 << 20;
inline constexpr size_t kMaxPairs = 1024;

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

// Reads `bytes` into `pairs` (views into `bytes`). False, and no pairs, if they are malformed, to which bytes behind
// the last pair belong (for Envoy 1.36 to 1.40, too, which goes on without pairs then), or over the limits.
bool parse_pairs(std::string_view bytes, Pairs& pairs);

// The size of a map in wire form, and the wire form itself (`to` has pairs_size() bytes).
size_t pairs_size(const http::HeaderMap& map);
void write_pairs(const http::HeaderMap& map, char* to);

}  // namespace inlay::host
