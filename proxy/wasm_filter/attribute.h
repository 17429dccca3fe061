// SPDX-License-Identifier: Apache-2.0
#pragma once

// The insides of attributes.cc: what an attribute is read from, the tables of attributes, and how values are written.

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "abi/types.h"
#include "proxy/wasm_filter/attributes.h"

namespace inlay::proxy::wasm_filter {

// Everything that an attribute may be read from.
struct AttributeSource {
  const AttributeOptions& options;
  const StreamAttributes* stream;  // nullptr for a root context; never for attributes that are a stream's
  Path rest;                       // the path below the attribute

  const downstream::StreamInfo& info() const { return stream->info; }
};

// What an attribute's value is, which says how it is encoded (attributes.h).
enum class AttributeKind : uint8_t { kString, kInt, kBool, kTime, kDuration, kMap, kMessage };

struct Attribute {
  std::string_view name;
  AttributeKind kind;
  abi::Status (*get)(const AttributeSource& source, std::string& out);
  std::string_view note;  // for docs/reference/properties.md
};

struct AttributeRoot {
  std::string_view name;
  std::span<const Attribute> (*attributes)();
  bool needs_stream;
};
std::span<const AttributeRoot> attribute_roots();

// One a root. All of them need a stream, but for xds.
std::span<const Attribute> request_attributes();
std::span<const Attribute> response_attributes();
std::span<const Attribute> connection_attributes();
std::span<const Attribute> source_attributes();
std::span<const Attribute> destination_attributes();
std::span<const Attribute> upstream_attributes();
std::span<const Attribute> xds_attributes();

// The configuration of the cluster that the request goes to, or would go to now; nullptr: none.
const upstream::Cluster* cluster_of(const AttributeSource& source);
// That of the endpoint that the request was sent to; nullptr: none yet.
const config::Endpoint* endpoint_of(const AttributeSource& source);

inline abi::Status put_text(std::string& out, std::string_view text) {
  out = text;
  return abi::Status::kOk;
}

inline abi::Status put_number(std::string& out, int64_t n) {
  out.resize(sizeof n);
  std::memcpy(out.data(), &n, sizeof n);  // the guest and every machine that we run on are little-endian
  return abi::Status::kOk;
}
inline abi::Status put_number(std::string& out, uint64_t n) {
  return put_number(out, static_cast<int64_t>(n));
}

inline abi::Status put_bool(std::string& out, bool b) {
  out.assign(1, b ? '\1' : '\0');
  return abi::Status::kOk;
}

inline abi::Status put_optional(std::string& out, std::optional<std::string_view> text) {
  return text ? put_text(out, *text) : abi::Status::kNotFound;
}

// A map of headers: all of it, or the one field that `rest` names. A name that has several values has one here, which
// lists them.
abi::Status put_headers(std::string& out, const http::HeaderMap* headers, Path rest);

}  // namespace inlay::proxy::wasm_filter
