// SPDX-License-Identifier: Apache-2.0
#pragma once

// A source's answer, in any of the formats: what headers it makes, and how long it says that they are good.

#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/fetch_failure.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

struct Answer {
  sdk::Bytes pairs;          // the headers, names in lower case, in the wire form of a header map
  uint32_t refused = 0;      // entries that were left out; each has been logged by name
  uint64_t lifetime_ms = 0;  // as its expires_in says, at least a second, or until its end; 0: nothing
  bool is_jwt = false;       // whose end lifetime_ms is
  sdk::Bytes refresh_token;  // of the grant of that name: what the next call is made of; empty if it says nothing
};

// kValueName: the name of the pair that holds the value of an answer of a source that others refer to. It is no
// header's.
inline constexpr std::string_view kValueName = "";

// read_answer: makes `answer`, which is as it was made, of `body` by `source`'s format: headers, and the value under
// kValueName if others refer to it. Entries that are refused (header_rules.h, not allowed, or no string) are left out,
// and logged by name, never by value. False, and why in `failure`: kBadJson if the body is no JSON object, kNoValue if
// a template's value is missing, kNoHeaders if there are entries and none is usable; and of a text kEmpty if there is
// nothing but white space, kExpired if it is a JWT that has ended by the wall clock. A JWT-SVID is such a
// text. `answer.refresh_token` is read of whatever is a JSON object.
bool read_answer(std::string_view body, const SourceConfig& source, Answer& answer, FetchFailure& failure);

// read_max_age: the seconds of `max-age` in a Cache-Control value (RFC 9111 section 5.2.2.1); 0 if there is none, or it
// is not a number.
uint64_t read_max_age(std::string_view cache_control);

}  // namespace inlay::header_augmenting
