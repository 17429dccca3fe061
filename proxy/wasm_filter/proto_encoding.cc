// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/proto_encoding.h"

#include <rapidjson/document.h>

#include <cstring>

namespace inlay::proxy::wasm_filter {
namespace {

constexpr uint8_t kVarint = 0, kFixed64 = 1, kLength = 2;

void put_varint(std::string& out, uint64_t n) {
  while (n >= 0x80) {
    out += static_cast<char>(n | 0x80);
    n >>= 7;
  }
  out += static_cast<char>(n);
}

void put_tag(std::string& out, uint32_t field, uint8_t wire) {
  put_varint(out, (field << 3) | wire);
}

void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_tag(out, field, kLength);
  put_varint(out, bytes.size());
  out += bytes;
}

// A proto3 string: the empty one is left out.
void put_string(std::string& out, uint32_t field, std::string_view text) {
  if (!text.empty()) put_bytes(out, field, text);
}

std::string_view text_of(const rapidjson::Value& v) {
  return {v.GetString(), v.GetStringLength()};
}

std::string value_bytes(const rapidjson::Value& v);

std::string list_bytes(const rapidjson::Value& v) {
  std::string out;
  for (const auto& element : v.GetArray()) put_bytes(out, 1, value_bytes(element));
  return out;
}

std::string object_bytes(const rapidjson::Value& v) {
  std::string out;
  for (const auto& member : v.GetObject()) {
    std::string entry;
    put_string(entry, 1, text_of(member.name));
    put_bytes(entry, 2, value_bytes(member.value));
    put_bytes(out, 1, entry);
  }
  return out;
}

// google.protobuf.Value.
std::string value_bytes(const rapidjson::Value& v) {
  std::string out;
  if (v.IsNull()) {
    put_tag(out, 1, kVarint);
    put_varint(out, 0);
  } else if (v.IsNumber()) {
    put_tag(out, 2, kFixed64);
    const double number = v.GetDouble();
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    out.append(bytes, sizeof bytes);
  } else if (v.IsString()) {
    put_bytes(out, 3, text_of(v));
  } else if (v.IsBool()) {
    put_tag(out, 4, kVarint);
    put_varint(out, v.GetBool() ? 1 : 0);
  } else if (v.IsObject()) {
    put_bytes(out, 5, object_bytes(v));
  } else {
    put_bytes(out, 6, list_bytes(v));
  }
  return out;
}

bool parse(std::string_view json, rapidjson::Document& document) {
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  return !document.HasParseError();
}

}  // namespace

std::string struct_bytes(std::string_view json) {
  rapidjson::Document document;
  return parse(json, document) && document.IsObject() ? object_bytes(document) : std::string();
}

std::string metadata_bytes(const config::Metadata& metadata) {
  std::string out;
  for (const auto& [name, json] : metadata) {
    std::string entry;
    put_string(entry, 1, name);
    put_bytes(entry, 2, struct_bytes(json));
    put_bytes(out, 1, entry);
  }
  return out;
}

std::string node_bytes(const config::Node& node) {
  std::string out;
  put_string(out, 1, node.id);
  put_string(out, 2, node.cluster);
  if (!node.metadata.empty()) {
    // Node.metadata is one Struct; the configuration holds its members one by one.
    std::string fields;
    for (const auto& [name, json] : node.metadata) {
      rapidjson::Document document;
      if (!parse(json, document)) continue;
      std::string entry;
      put_string(entry, 1, name);
      put_bytes(entry, 2, value_bytes(document));
      put_bytes(fields, 1, entry);
    }
    put_bytes(out, 3, fields);
  }
  if (!node.zone.empty()) {
    std::string locality;
    put_string(locality, 2, node.zone);
    put_bytes(out, 4, locality);
  }
  return out;
}

abi::Status json_attribute(std::string_view json, std::span<const std::string_view> path, std::string& value) {
  rapidjson::Document document;
  if (!parse(json, document)) return abi::Status::kNotFound;
  const rapidjson::Value* at = &document;
  for (const std::string_view part : path) {
    if (!at->IsObject()) return abi::Status::kNotFound;
    const auto member = at->FindMember(
        rapidjson::Value(rapidjson::StringRef(part.data(), static_cast<rapidjson::SizeType>(part.size()))));
    if (member == at->MemberEnd()) return abi::Status::kNotFound;
    at = &member->value;
  }
  if (at->IsNull()) return abi::Status::kNotFound;
  if (at->IsString()) {
    value = text_of(*at);
  } else if (at->IsBool()) {
    value.assign(1, at->GetBool() ? '\1' : '\0');
  } else if (at->IsNumber()) {
    const double number = at->GetDouble();
    value.resize(sizeof number);
    std::memcpy(value.data(), &number, sizeof number);
  } else {
    value = at->IsObject() ? object_bytes(*at) : list_bytes(*at);
  }
  return abi::Status::kOk;
}

}  // namespace inlay::proxy::wasm_filter
