// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inlay::jwt {

// An audience as Envoy compares it: without "http://" or "https://" before it, and without one "/" at its end.
std::string_view bare_audience(std::string_view audience);

// Whether one of the token's is one of those that are allowed; of none that are, all are.
bool is_audience_allowed(const std::vector<std::string>& allowed, const std::vector<std::string>& of_token);

}  // namespace inlay::jwt
