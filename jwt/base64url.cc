// SPDX-License-Identifier: Apache-2.0
#include "jwt/base64url.h"

#include <algorithm>

#include "base/base64.h"

namespace inlay::jwt {

std::optional<std::string> from_base64url(std::string_view text) {
  constexpr size_t kGroup = 4;
  const size_t end = text.find('=');
  const bool padded = end != std::string_view::npos;
  if (padded && (text.size() % kGroup != 0 || text.size() - end > 2)) return std::nullopt;
  if (text.substr(0, end).find_first_of("+/") != std::string_view::npos) return std::nullopt;
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  if (const size_t over = plain.size() % kGroup; over != 0) plain.append(kGroup - over, '=');
  std::string bytes;
  if (!append_from_base64(bytes, plain)) return std::nullopt;
  return bytes;
}

}  // namespace inlay::jwt
