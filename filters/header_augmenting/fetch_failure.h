// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a fetch failed: the reasons, once, for the code, the metrics' names and the log.

#include <cstddef>
#include <cstdint>

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

// In the order of the enumerators.
inline constexpr FetchFailureText kFetchFailures[] = {
    {"not_sent", "the call could not be sent: "},
    {"unreachable", "the proxy got no answer from the service: "},
    {"no_answer", "no answer came"},
    {"status", "the answer's status is not 200 but "},
    {"too_large", "the answer's body is larger than max_body"},
    {"bad_json", "the answer's body is not a JSON object"},
    {"no_headers", "the answer has no header that may be set"},
    {"no_value", "the answer lacks a value that the headers are made of"},
    {"not_signed", "the assertion could not be signed: "},
    {"empty", "the answer is empty"},
    {"expired", "the answer is a JWT whose end has passed"},
    {"other_token", "the answer is not the token that was asked for: "},
};

}  // namespace inlay::header_augmenting
