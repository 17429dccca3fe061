// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/attributes.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "abi/pairs.h"
#include "base/ascii.h"
#include "dynamic_module/filter_state.h"
#include "http/envoy_headers.h"

namespace inlay::dynamic_module {

using abi::Status;

namespace {

// kField: of the request's headers, and there while the guest sees them. kTls: of a connection without it, too.
enum class Kind : uint8_t { kText, kNumber, kFlag, kField, kTls };

// Attribute: its number is Envoy's, which counts them in the order of its documentation of attributes.
struct Attribute {
  std::string_view group;
  std::string_view name;
  uint32_t id;
  Kind kind = Kind::kText;
};

constexpr Attribute kAttributes[] = {
    {"request", "path", 0, Kind::kField},
    {"request", "url_path", 1, Kind::kField},
    {"request", "host", 2, Kind::kField},
    {"request", "scheme", 3, Kind::kField},
    {"request", "method", 4, Kind::kField},
    {"request", "referer", 6, Kind::kField},
    {"request", "useragent", 7, Kind::kField},
    {"request", "id", 9, Kind::kField},
    {"request", "protocol", 10},
    {"request", "query", 11, Kind::kField},
    {"request", "size", 13, Kind::kNumber},
    {"request", "total_size", 14, Kind::kNumber},
    {"response", "code", 15, Kind::kNumber},
    {"response", "code_details", 16},
    {"response", "flags", 17, Kind::kNumber},
    {"response", "grpc_status", 18, Kind::kNumber},
    {"response", "size", 21, Kind::kNumber},
    {"response", "total_size", 22, Kind::kNumber},
    {"source", "address", 24},
    {"source", "port", 25, Kind::kNumber},
    {"destination", "address", 26},
    {"destination", "port", 27, Kind::kNumber},
    {"connection", "id", 28, Kind::kNumber},
    {"connection", "mtls", 29, Kind::kFlag},
    {"connection", "requested_server_name", 30, Kind::kTls},
    {"connection", "tls_version", 31},
    {"connection", "subject_local_certificate", 32},
    {"connection", "subject_peer_certificate", 33},
    {"connection", "dns_san_local_certificate", 34},
    {"connection", "dns_san_peer_certificate", 35},
    {"connection", "uri_san_local_certificate", 36},
    {"connection", "uri_san_peer_certificate", 37},
    {"connection", "sha256_peer_certificate_digest", 38},
    {"connection", "transport_failure_reason", 39},
    {"connection", "termination_details", 40},
    {"upstream", "address", 41},
    {"upstream", "port", 42, Kind::kNumber},
    {"upstream", "tls_version", 43},
    {"upstream", "subject_local_certificate", 44},
    {"upstream", "subject_peer_certificate", 45},
    {"upstream", "dns_san_local_certificate", 46},
    {"upstream", "dns_san_peer_certificate", 47},
    {"upstream", "uri_san_local_certificate", 48},
    {"upstream", "uri_san_peer_certificate", 49},
    {"upstream", "sha256_peer_certificate_digest", 50},
    {"upstream", "local_address", 51},
    {"upstream", "transport_failure_reason", 52},
    {"upstream", "request_attempt_count", 53, Kind::kNumber},
    {"xds", "cluster_name", 57},
    {"xds", "listener_direction", 59, Kind::kNumber},
    {"xds", "route_name", 61},
    {"xds", "virtual_host_name", 63},
    {"xds", "filter_chain_name", 66},
};

Status put_bytes(const void* bytes, size_t size, std::string& value) {
  value.clear();
  if (size > 0) value.append(static_cast<const char*>(bytes), size);
  return Status::kOk;
}

Status ask(const AttributeSource& source, const Attribute& attribute, std::string& value) {
  switch (attribute.kind) {
    case Kind::kNumber: {
      uint64_t number = 0;
      if (!source.number(attribute.id, &number)) return Status::kNotFound;
      return put_bytes(&number, sizeof number, value);
    }
    case Kind::kFlag: {
      bool flag = false;
      (void)source.flag(attribute.id, &flag);  // which there is none of: false
      return put_bytes(flag ? "\1" : "\0", 1, value);
    }
    default:
      break;
  }
  envoy::View text;
  if (!source.text(attribute.id, &text) && attribute.kind != Kind::kTls) return Status::kNotFound;
  return put_bytes(text.data, text.size, value);
}

// A name that has several values has one here, which lists them.
Status one_field(const http::HeaderMap& map, std::string_view name, std::string& value) {
  bool found = false;
  value.clear();
  for (const auto& entry : map) {
    if (!equals_ignore_case(entry.name, name)) continue;
    value.append(std::exchange(found, true) ? "," : "").append(entry.value);
  }
  return found ? Status::kOk : Status::kNotFound;
}

Status all_fields(const http::HeaderMap* map, std::string& value) {
  std::vector<std::pair<std::string_view, std::string>> fields;
  for (size_t i = 0; map != nullptr && i < map->size(); ++i) {
    const auto& entry = (*map)[i];
    const auto same = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == entry.name; });
    if (same == fields.end())
      fields.emplace_back(entry.name, entry.value);
    else
      same->second.append(",").append(entry.value);
  }
  std::vector<abi::Pair> pairs;
  pairs.reserve(fields.size());
  for (const auto& [name, text] : fields) pairs.push_back({name, text});
  value.resize(abi::pairs_size(pairs));
  abi::write_pairs(pairs, value.data());
  return Status::kOk;
}

Status headers(const http::HeaderMap* map, std::span<const std::string_view> rest, std::string& value) {
  if (rest.empty()) return all_fields(map, value);
  return map != nullptr && rest.size() == 1 ? one_field(*map, rest.front(), value) : Status::kNotFound;
}

Status filter_state(const AttributeSource& source, const std::string& key, std::string& value) {
  envoy::View found;
  if (!source.state(key, &found)) return Status::kNotFound;
  return put_bytes(found.data, found.size, value);
}

}  // namespace

bool StreamAttributes::text(uint32_t id, envoy::View* value) const {
  return envoy::http_filter_get_attribute_string(filter_, id, value);
}
bool StreamAttributes::number(uint32_t id, uint64_t* value) const {
  return envoy::http_filter_get_attribute_int(filter_, id, value);
}
bool StreamAttributes::flag(uint32_t id, bool* value) const {
  return envoy::http_filter_get_attribute_bool(filter_, id, value);
}
bool StreamAttributes::state(const std::string& key, envoy::View* value) const {
  return envoy::http_get_filter_state_bytes(filter_, key, value) ||
         envoy::http_get_filter_state_typed(filter_, key, value);
}

Status get_attribute(const AttributeSource& source, const VisibleMaps& maps, const std::vector<std::string_view>& path,
                     std::string& value) {
  if (path.empty()) return Status::kSerializationFailure;
  const std::string_view group = path[0];
  if (group == "filter_state") {
    if (path.size() == 1) return Status::kSerializationFailure;
    return path.size() == 2 ? filter_state(source, std::string(path[1]), value) : Status::kNotFound;
  }
  const bool is_group = std::any_of(std::begin(kAttributes), std::end(kAttributes),
                                    [&](const Attribute& attribute) { return attribute.group == group; });
  if (!is_group) return path.size() == 1 ? filter_state(source, filter_state_key(group), value) : Status::kNotFound;
  if (path.size() == 1) return Status::kSerializationFailure;
  const std::span rest = std::span(path).subspan(2);
  if (group == "request" && path[1] == "headers") {
    const std::string_view name = rest.empty() ? std::string_view() : http::request_field(rest.front());
    return headers(maps.request_headers, rest.size() == 1 ? std::span(&name, 1) : rest, value);
  }
  if (group == "response" && path[1] == "headers") return headers(maps.response_headers, rest, value);
  if (group == "response" && path[1] == "trailers") return headers(maps.response_trailers, rest, value);
  const auto* const found =
      std::find_if(std::begin(kAttributes), std::end(kAttributes),
                   [&](const Attribute& attribute) { return attribute.group == group && attribute.name == path[1]; });
  if (found == std::end(kAttributes) || !rest.empty()) return Status::kNotFound;
  if (found->kind == Kind::kField && maps.request_headers == nullptr) return Status::kNotFound;
  return ask(source, *found, value);
}

}  // namespace inlay::dynamic_module
