// SPDX-License-Identifier: Apache-2.0
#pragma once

// type/matcher/v3 StringMatcher, part of the model (model.h).

#include <cstdint>
#include <string>

namespace inlay::config {

// safe_regex is a full match (RE2).
struct StringMatcher {
  enum class Kind : uint8_t { kExact, kPrefix, kSuffix, kContains, kSafeRegex } kind = Kind::kExact;
  std::string value;
  bool ignore_case = false;
};

}  // namespace inlay::config
