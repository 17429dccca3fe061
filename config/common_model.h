// SPDX-License-Identifier: Apache-2.0
#pragma once

// What several parts of the typed configuration (config/model.h) are made of.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace inlay::config {

using Milliseconds = std::chrono::milliseconds;

// config/core/v3 CidrRange.
struct CidrRange {
  bool v6 = false;
  std::array<uint8_t, 16> address{};  // in network order; of IPv4 the first four
  uint32_t prefix_len = 0;            // at most 32 or 128
};

// Metadata: filter name to a JSON text (google.protobuf.Struct), kept for properties.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// config/core/v3 Locality.
struct Locality {
  std::string region;
  std::string zone;
  std::string sub_zone;
};

// config/core/v3 Node: what the proxy says of itself, for properties.
struct Node {
  std::string id;
  std::string cluster;
  Locality locality;
  Metadata metadata;
};

}  // namespace inlay::config
