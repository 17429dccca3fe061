// SPDX-License-Identifier: Apache-2.0
#pragma once

// Compiling a module's optimised code while its quick code runs.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/aot/compile.h"
#include "engine/engine.h"

namespace inlay::engine::aot {

struct OptimizeJob {
  std::vector<uint8_t> bytes;              // the module
  std::optional<Translation> translation;  // of it, if that is at hand
  Compiler compiler;
  std::string optimization;  // "-O2"
  std::string key;
  std::string directory;
  std::string path;   // where the artifact goes
  std::string quick;  // the quick one, needed no longer then
  std::function<void(const TierEvent&)> on_tier;
  std::stop_token stop;  // ends it, as the module's end does
};

// A valid module's C and shim.
Result<Translation> translate(std::span<const uint8_t> bytes, const Description& description, const std::string& key);

}  // namespace inlay::engine::aot
