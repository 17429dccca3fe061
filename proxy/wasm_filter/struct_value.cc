// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/struct_value.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "abi/pairs.h"
#include "config/proto_encoding.h"

namespace inlay::proxy::wasm_filter {
namespace {

using abi::Status;
using Path = std::span<const std::string_view>;
using Value = rapidjson::Value;
// A map's entries, encoded.
using Entries = std::vector<std::pair<std::string, std::string>>;

Status put(std::string& out, std::string_view bytes) {
  out = bytes;
  return Status::kOk;
}

Status put_entries(const Entries& entries, std::string& out) {
  std::vector<abi::Pair> pairs;
  pairs.reserve(entries.size());
  for (const auto& [key, value] : entries) pairs.push_back({key, value});
  out.resize(abi::pairs_size(pairs));
  abi::write_pairs(pairs, out.data());
  return Status::kOk;
}

std::string_view text_of(const Value& v) {
  return {v.GetString(), v.GetStringLength()};
}

Status encode(const Value& v, std::string& out);

Status encode_object(const Value& v, std::string& out) {
  Entries entries;
  for (const auto& member : v.GetObject()) {
    auto& entry = entries.emplace_back(text_of(member.name), "");
    if (const Status status = encode(member.value, entry.second); status != Status::kOk) return status;
  }
  return put_entries(entries, out);
}

Status encode_list(const Value& v, std::string& out) {
  Entries entries;
  for (const auto& element : v.GetArray()) {
    auto& entry = entries.emplace_back();
    if (const Status status = encode(element, entry.first); status != Status::kOk) return status;
  }
  return put_entries(entries, out);
}

// The configuration's loader bounds how deep values nest.
Status encode(const Value& v, std::string& out) {
  if (v.IsObject()) return encode_object(v, out);
  if (v.IsArray()) return encode_list(v, out);
  if (v.IsString()) return put(out, text_of(v));
  if (v.IsBool()) return put(out, std::string_view(v.GetBool() ? "\1" : "\0", 1));
  if (!v.IsNumber()) return Status::kSerializationFailure;
  const double number = v.GetDouble();
  out.resize(sizeof number);
  std::memcpy(out.data(), &number, sizeof number);
  return Status::kOk;
}

const Value* child(const Value& of, std::string_view name) {
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

// A scalar has nothing below it.
Status scalar(std::string_view text, Path rest, std::string& value) {
  return rest.empty() ? put(value, text) : Status::kNotFound;
}
Status empty_map(Path rest, std::string& value) {
  return rest.empty() ? put_entries({}, value) : Status::kNotFound;
}

// Node.metadata is one Struct, of which the configuration holds the members.
Status members_attribute(const config::Metadata& members, Path path, std::string& value) {
  if (path.empty()) {
    Entries entries;
    for (const auto& [name, json] : members) {
      auto& entry = entries.emplace_back(name, "");
      if (const Status status = struct_attribute(json, {}, entry.second); status != Status::kOk) return status;
    }
    return put_entries(entries, value);
  }
  const auto found = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == path[0]; });
  return found == members.end() ? Status::kNotFound : struct_attribute(found->second, path.subspan(1), value);
}

}  // namespace

Status struct_attribute(std::string_view json, Path path, std::string& value) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError()) return Status::kNotFound;
  const Value* at = &document;
  for (const std::string_view part : path) {
    at = child(*at, part);
    if (at == nullptr) return Status::kNotFound;
  }
  return encode(*at, value);
}

Status metadata_attribute(const config::Metadata& metadata, Path path, std::string& value) {
  if (path.empty()) return put(value, config::metadata_bytes(metadata));
  const Path rest = path.subspan(1);
  if (path[0] == "filter_metadata") return members_attribute(metadata, rest, value);
  if (path[0] == "typed_filter_metadata") return empty_map(rest, value);
  return Status::kNotFound;
}

Status locality_attribute(const config::Locality& locality, Path path, std::string& value) {
  if (path.empty()) return put(value, config::locality_bytes(locality));
  const Path rest = path.subspan(1);
  if (path[0] == "region") return scalar(locality.region, rest, value);
  if (path[0] == "zone") return scalar(locality.zone, rest, value);
  if (path[0] == "sub_zone") return scalar(locality.sub_zone, rest, value);
  return Status::kNotFound;
}

Status node_attribute(const config::Node& node, Path path, std::string& value) {
  if (path.empty()) return put(value, config::node_bytes(node));
  const std::string_view field = path[0];
  const Path rest = path.subspan(1);
  if (field == "id") return scalar(node.id, rest, value);
  if (field == "cluster") return scalar(node.cluster, rest, value);
  if (field == "metadata") return members_attribute(node.metadata, rest, value);
  if (field == "locality") return locality_attribute(node.locality, rest, value);
  if (field == "user_agent_name" || field == "user_agent_version") return scalar("", rest, value);
  if (field == "extensions" || field == "client_features" || field == "listening_addresses" ||
      field == "dynamic_parameters")
    return empty_map(rest, value);
  return Status::kNotFound;
}

}  // namespace inlay::proxy::wasm_filter
