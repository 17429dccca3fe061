// SPDX-License-Identifier: Apache-2.0
#pragma once

// A source's answer in the format `headers`: a JSON object of header name to string.

#include <optional>
#include <string_view>

#include "filters/header_augmenting/fetch_failure.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

struct Answer {
  sdk::Bytes pairs;      // the headers, names in lower case, in the wire form of a header map
  uint32_t refused = 0;  // entries that were left out; each has been logged by name
};

// read_headers_answer: the headers in `body`. Entries that are refused (header_rules.h, or no string) are left out,
// and logged for `source` by name, never by value. Fails with kBadJson if the body is no JSON object, and with
// kNoHeaders if it has entries and none is usable.
Result<Answer, FetchFailure> read_headers_answer(std::string_view body, std::string_view source);

// read_max_age: the seconds of `max-age` in a Cache-Control value (RFC 9111 section 5.2.2.1); nullopt if there is none,
// or it is 0 or not a number.
std::optional<uint64_t> read_max_age(std::string_view cache_control);

}  // namespace inlay::header_augmenting
