// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/metadata_value.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace inlay::proxy::router {
namespace {

using rapidjson::Value;

std::string_view take_step(std::string_view& path) {
  const std::string_view step = path.substr(0, path.find(':'));
  path.remove_prefix(std::min(step.size() + 1, path.size()));
  return step;
}

const Value* member(const Value& of, std::string_view name) {
  if (!of.IsObject()) return nullptr;
  for (const auto& entry : of.GetObject())
    if (std::string_view(entry.name.GetString(), entry.name.GetStringLength()) == name) return &entry.value;
  return nullptr;
}

MetadataValue shown(const Value& value) {
  if (value.IsString()) return {true, std::string(value.GetString(), value.GetStringLength())};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {false, std::string(buffer.GetString(), buffer.GetSize())};
}

}  // namespace

std::optional<MetadataValue> metadata_value(const config::Metadata& metadata, std::string_view path) {
  const std::string_view filter = take_step(path);
  const auto found =
      std::find_if(metadata.begin(), metadata.end(), [&](const auto& entry) { return entry.first == filter; });
  if (found == metadata.end()) return std::nullopt;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(found->second.data(), found->second.size());
  if (document.HasParseError()) return std::nullopt;
  const Value* at = &document;
  while (at != nullptr && !path.empty()) at = member(*at, take_step(path));
  if (at == nullptr || at->IsNull()) return std::nullopt;
  return shown(*at);
}

}  // namespace inlay::proxy::router
