// SPDX-License-Identifier: Apache-2.0
#pragma once

// Retry-After (RFC 9110 section 10.2.3): seconds, or a date.

#include <cstdint>
#include <optional>
#include <string_view>

namespace inlay::header_augmenting {

// parse_http_date: seconds since 1970 of a date such as "Sun, 06 Nov 1994 08:49:37 GMT", the one form that is sent
// today; nullopt for any other text. The name of the day is not looked at.
std::optional<uint64_t> parse_http_date(std::string_view text);

// read_retry_after_ms: how long to wait, in milliseconds; 0 if the value says nothing. A date is counted from `date`,
// the answer's own Date, so that the two clocks need not agree; from the host's wall clock if that is none.
uint64_t read_retry_after_ms(std::string_view retry_after, std::string_view date);

}  // namespace inlay::header_augmenting
