// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/node.h"

#include <rapidjson/document.h>

#include <charconv>
#include <cstring>
#include <span>
#include <utility>

#include "abi/pairs.h"

namespace inlay::dynamic_module {

using abi::Status;

namespace {

using Json = rapidjson::Value;

std::string_view text_of(const Json& value) {
  return {value.GetString(), value.GetStringLength()};
}

Status encode(const Json& value, std::string& out);

// A map is pairs; a list, too, whose values stand as keys.
Status encode_many(const Json& value, std::string& out) {
  std::vector<std::pair<std::string, std::string>> entries;
  Status status = Status::kOk;
  if (value.IsObject()) {
    for (const auto& member : value.GetObject()) {
      auto& entry = entries.emplace_back(text_of(member.name), "");
      if (status == Status::kOk) status = encode(member.value, entry.second);
    }
  } else {
    for (const Json& one : value.GetArray()) {
      auto& entry = entries.emplace_back();
      if (status == Status::kOk) status = encode(one, entry.first);
    }
  }
  if (status != Status::kOk) return status;
  std::vector<abi::Pair> pairs;
  pairs.reserve(entries.size());
  for (const auto& [key, text] : entries) pairs.push_back({key, text});
  out.resize(abi::pairs_size(pairs));
  abi::write_pairs(pairs, out.data());
  return Status::kOk;
}

// settings.cc bounds how deep they nest.
Status encode(const Json& value, std::string& out) {
  if (value.IsObject() || value.IsArray()) return encode_many(value, out);
  if (value.IsNull()) return Status::kSerializationFailure;
  if (value.IsString()) {
    out = text_of(value);
  } else if (value.IsBool()) {
    out.assign(1, value.GetBool() ? '\1' : '\0');
  } else {
    const double number = value.GetDouble();
    out.assign(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return Status::kOk;
}

const Json* child(const Json& of, std::string_view name) {
  if (of.IsObject()) {
    for (const auto& member : of.GetObject())
      if (text_of(member.name) == name) return &member.value;
    return nullptr;
  }
  if (!of.IsArray()) return nullptr;
  rapidjson::SizeType index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool is_index = error == std::errc() && end == name.data() + name.size();
  return is_index && index < of.Size() ? &of[index] : nullptr;
}

}  // namespace

Status get_root_property(std::string_view node, const std::vector<std::string_view>& path, std::string& value) {
  if (path.empty() || path[0] != "xds") return Status::kNotFound;
  if (path.size() == 1) return Status::kSerializationFailure;
  if (node.empty() || path[1] != "node") return Status::kNotFound;
  if (path.size() == 2) return Status::kSerializationFailure;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(node.data(), node.size());
  const Json* at = &document;
  for (const std::string_view part : std::span(path).subspan(2)) {
    at = child(*at, part);
    if (at == nullptr) return Status::kNotFound;
  }
  return encode(*at, value);
}

}  // namespace inlay::dynamic_module
