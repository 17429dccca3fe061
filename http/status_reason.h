// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace inlay::http {

// The reason phrase of a three-digit status ("200" is "OK"), at most 31 characters; "Unknown" for those that IANA's
// registry does not have.
std::string_view status_reason(std::string_view status);

// Three digits, 100 to 999.
bool is_status(std::string_view text);

}  // namespace inlay::http
