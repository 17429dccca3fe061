// SPDX-License-Identifier: Apache-2.0
#include "config/proto_encoding.h"

#include <rapidjson/document.h>

#include <cstring>

#include "base/proto_wire.h"

namespace inlay::config {
namespace {

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
    put_tag(out, 1, ProtoWire::kVarint);
    put_varint(out, 0);
  } else if (v.IsNumber()) {
    put_tag(out, 2, ProtoWire::kFixed64);
    const double number = v.GetDouble();
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    out.append(bytes, sizeof bytes);
  } else if (v.IsString()) {
    put_bytes(out, 3, text_of(v));
  } else if (v.IsBool()) {
    put_tag(out, 4, ProtoWire::kVarint);
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

std::string metadata_bytes(const Metadata& metadata) {
  std::string out;
  for (const auto& [name, json] : metadata) {
    std::string entry;
    put_string(entry, 1, name);
    put_bytes(entry, 2, struct_bytes(json));
    put_bytes(out, 1, entry);
  }
  return out;
}

std::string node_bytes(const Node& node) {
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
  put_string(out, 4, locality_bytes(node.locality));
  return out;
}

std::string locality_bytes(const Locality& locality) {
  std::string out;
  put_string(out, 1, locality.region);
  put_string(out, 2, locality.zone);
  put_string(out, 3, locality.sub_zone);
  return out;
}

}  // namespace inlay::config
