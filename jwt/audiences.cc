// SPDX-License-Identifier: Apache-2.0
#include "jwt/audiences.h"

#include <algorithm>

namespace inlay::jwt {

std::string_view bare_audience(std::string_view audience) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!audience.starts_with(scheme)) continue;
    audience.remove_prefix(scheme.size());
    break;
  }
  if (audience.ends_with('/')) audience.remove_suffix(1);
  return audience;
}

bool is_audience_allowed(const std::vector<std::string>& allowed, const std::vector<std::string>& of_token) {
  if (allowed.empty()) return true;
  return std::any_of(of_token.begin(), of_token.end(), [&](const std::string& one) {
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](const std::string& other) { return bare_audience(one) == bare_audience(other); });
  });
}

}  // namespace inlay::jwt
