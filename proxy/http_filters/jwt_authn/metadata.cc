// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/metadata.h"

#include <rapidjson/document.h>

#include <algorithm>

#include "jwt/json.h"

namespace inlay::proxy::http_filters::jwt_authn {

void add_metadata(config::Metadata& metadata, std::string_view filter,
                  const std::vector<std::pair<std::string, std::string>>& members) {
  auto at = std::find_if(metadata.begin(), metadata.end(), [&](const auto& entry) { return entry.first == filter; });
  if (at == metadata.end()) at = metadata.insert(at, {std::string(filter), "{}"});
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(at->second.data(), at->second.size());
  if (document.HasParseError() || !document.IsObject()) document.SetObject();
  for (const auto& [key, text] : members) {
    rapidjson::Document value(&document.GetAllocator());
    value.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    if (value.HasParseError()) continue;
    rapidjson::Value name(key.data(), static_cast<rapidjson::SizeType>(key.size()), document.GetAllocator());
    document.RemoveMember(name);
    document.AddMember(name, value, document.GetAllocator());
  }
  at->second = jwt::to_text(document);
}

}  // namespace inlay::proxy::http_filters::jwt_authn
