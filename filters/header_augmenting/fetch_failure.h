// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a fetch failed: the reasons, once, for the code, the metrics' names and the log.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "filters/header_augmenting/features.h"

namespace inlay::header_augmenting {

enum class FetchFailure : uint8_t {
  kNotSent,
  kUnreachable,
  kNoAnswer,
  kStatus,
  kTooLarge,
  kBadJson,
  kNoHeaders,
  kNoValue,
  kNotSigned,
  kEmpty,
  kExpired,
  kOtherToken,
};

struct FetchFailureText {
  const char* metric;  // <source>.fetch_failed.<metric>
  const char* log;
};

// In the order of the enumerators; those of what the lean module lacks stand apart.
inline constexpr FetchFailureText kFetchFailures[] = {
    {"not_sent", "the call could not be sent: "},
    {"unreachable", "the proxy got no answer from the service: "},
    {"no_answer", "no answer came"},
    {"status", "the answer's status is not 200 but "},
    {"too_large", "the answer's body is larger than max_body"},
    {"bad_json", "the answer's body is not a JSON object"},
    {"no_headers", "the answer has no header that may be set"},
    {"no_value", "the answer lacks a value that the headers are made of"},
};
inline constexpr FetchFailureText kFeatureFailures[] = {
    {"not_signed", "the assertion could not be signed: "},
    {"empty", "the answer is empty"},
    {"expired", "the answer is a JWT whose end has passed"},
    {"other_token", "the answer is not the token that was asked for: "},
};

// kMaxFetchFailures: how many there are; fetch_failures: in this module, from the first on.
inline constexpr size_t kMaxFetchFailures = std::size(kFetchFailures) + std::size(kFeatureFailures);
static_assert(static_cast<size_t>(FetchFailure::kOtherToken) + 1 == kMaxFetchFailures);
inline size_t fetch_failures() {
  return has(kText | kAssertions) ? kMaxFetchFailures : std::size(kFetchFailures);
}

// text_of: a reason's texts.
inline const FetchFailureText& text_of(size_t reason) {
  const bool of_feature = has(kText | kAssertions) && reason >= std::size(kFetchFailures);
  return of_feature ? kFeatureFailures[reason - std::size(kFetchFailures)] : kFetchFailures[reason];
}

}  // namespace inlay::header_augmenting
