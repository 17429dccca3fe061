// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/jwt.h"

#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/encoding.h"
#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/template.h"

namespace inlay::header_augmenting {

std::optional<uint64_t> read_jwt_end_ms(std::string_view text) {
  const size_t first = text.find('.');
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  const size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  TextBuilder checked;  // for their form only
  if (!add_from_base64url(checked, text.substr(0, first)) || !add_from_base64url(checked, text.substr(second + 1)))
    return std::nullopt;
  TextBuilder claims;
  if (!add_from_base64url(claims, text.substr(first + 1, second - first - 1))) return std::nullopt;
  Json json;
  if (!json.parse(claims.view()) || json.root().type != Json::Type::kObject) return std::nullopt;
  const Json::Node* const end = find(json, "/exp");
  if (end == nullptr || end->type != Json::Type::kNumber) return std::nullopt;
  const uint64_t ms = read_seconds_ms(end->text);
  return ms == 0 ? std::nullopt : std::optional(ms);
}

}  // namespace inlay::header_augmenting
