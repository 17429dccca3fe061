// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/attributes.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "abi/pairs.h"
#include "proxy/router/route_table.h"
#include "proxy/wasm_filter/proto_encoding.h"

namespace inlay::proxy::wasm_filter {
namespace {

using abi::Status;
using host::HeaderId;
using host::HeaderMap;

// Everything that an attribute may be read from. `callbacks` is null for a root context.
struct Source {
  const AttributeOptions& options;
  http::FilterCallbacks* callbacks;
  std::span<const std::string_view> rest;  // the path below the attribute
};

Status put(std::string& out, std::string_view text) {
  out = text;
  return Status::kOk;
}

Status put_number(std::string& out, int64_t n) {
  out.resize(sizeof n);
  std::memcpy(out.data(), &n, sizeof n);
  return Status::kOk;
}

Status put_bool(std::string& out, bool b) {
  out.assign(1, b ? '\1' : '\0');
  return Status::kOk;
}

Status put_header(std::string& out, const HeaderMap* headers, std::string_view name) {
  const auto value = headers != nullptr ? headers->get(name) : std::nullopt;
  return value ? put(out, *value) : Status::kNotFound;
}

// All headers, or with a rest the one that it names.
Status put_headers(std::string& out, const HeaderMap* headers, std::span<const std::string_view> rest) {
  if (headers == nullptr) return Status::kNotFound;
  if (!rest.empty()) return put_header(out, headers, rest.front());
  std::vector<abi::Pair> pairs;
  pairs.reserve(headers->size());
  for (const auto& entry : *headers) pairs.push_back({entry.name, entry.value});
  out.resize(abi::pairs_size(pairs));
  abi::write_pairs(pairs, out.data());
  return Status::kOk;
}

Status put_metadata(std::string& out, const config::Metadata& metadata, std::span<const std::string_view> rest) {
  if (rest.empty()) return put(out, metadata_bytes(metadata));
  if (rest.front() == "filter_metadata") return put_metadata(out, metadata, rest.subspan(1));
  for (const auto& [name, json] : metadata) {
    if (name == rest.front()) return json_attribute(json, rest.subspan(1), out);
  }
  return Status::kNotFound;
}

std::string_view path_only(std::string_view path) {
  return path.substr(0, path.find('?'));
}

// --- request, response ---

Status request_path(const Source& s, std::string& out) {
  return put_header(out, s.callbacks->request_headers(), ":path");
}
Status request_url_path(const Source& s, std::string& out) {
  const HeaderMap* h = s.callbacks->request_headers();
  return h != nullptr ? put(out, path_only(h->value(HeaderId::kPath))) : Status::kNotFound;
}
Status request_query(const Source& s, std::string& out) {
  const HeaderMap* h = s.callbacks->request_headers();
  if (h == nullptr) return Status::kNotFound;
  const std::string_view path = h->value(HeaderId::kPath);
  const size_t question = path.find('?');
  return put(out, question == std::string_view::npos ? std::string_view() : path.substr(question + 1));
}
Status request_host(const Source& s, std::string& out) {
  return put_header(out, s.callbacks->request_headers(), ":authority");
}
Status request_scheme(const Source& s, std::string& out) {
  return put_header(out, s.callbacks->request_headers(), ":scheme");
}
Status request_method(const Source& s, std::string& out) {
  return put_header(out, s.callbacks->request_headers(), ":method");
}
Status request_referer(const Source& s, std::string& out) {
  return put_header(out, s.callbacks->request_headers(), "referer");
}
Status request_useragent(const Source& s, std::string& out) {
  return put_header(out, s.callbacks->request_headers(), "user-agent");
}
Status request_id(const Source& s, std::string& out) {
  return put_header(out, s.callbacks->request_headers(), "x-request-id");
}
Status request_headers(const Source& s, std::string& out) {
  return put_headers(out, s.callbacks->request_headers(), s.rest);
}
Status request_time(const Source& s, std::string& out) {
  return put_number(out, s.callbacks->info().start_system);
}
Status request_protocol(const Source& s, std::string& out) {
  return put(out, s.callbacks->info().protocol);
}
Status request_size(const Source& s, std::string& out) {
  const HeaderMap* h = s.callbacks->request_headers();
  const auto length = h != nullptr ? h->get(HeaderId::kContentLength) : std::nullopt;
  if (length) {
    uint64_t n = 0;
    for (const char c : *length) n = c >= '0' && c <= '9' ? n * 10 + static_cast<uint64_t>(c - '0') : n;
    return put_number(out, static_cast<int64_t>(n));
  }
  return put_number(out, static_cast<int64_t>(s.callbacks->info().bytes_received));
}
Status request_total_size(const Source& s, std::string& out) {
  const http::StreamInfo& info = s.callbacks->info();
  return put_number(out, static_cast<int64_t>(info.bytes_received + info.request_headers_bytes));
}
Status request_headers_bytes(const Source& s, std::string& out) {
  return put_number(out, static_cast<int64_t>(s.callbacks->info().request_headers_bytes));
}
Status request_duration(const Source& s, std::string& out) {
  return put_number(out, s.callbacks->loop().now() - s.callbacks->info().start_monotonic);
}
Status response_code(const Source& s, std::string& out) {
  const http::StreamInfo& info = s.callbacks->info();
  return info.response_code != 0 ? put_number(out, info.response_code) : Status::kNotFound;
}
Status response_code_details(const Source& s, std::string& out) {
  const std::string& details = s.callbacks->info().response_code_details;
  return details.empty() ? Status::kNotFound : put(out, details);
}
Status response_flags(const Source& s, std::string& out) {
  return put_number(out, s.callbacks->info().response_flags);
}
Status response_grpc_status(const Source& s, std::string& out) {
  for (const HeaderMap* map : {s.callbacks->response_trailers(), s.callbacks->response_headers()}) {
    const auto text = map != nullptr ? map->get(HeaderId::kGrpcStatus) : std::nullopt;
    if (!text) continue;
    int64_t n = 0;
    for (const char c : *text) n = c >= '0' && c <= '9' ? n * 10 + (c - '0') : n;
    return put_number(out, n);
  }
  return Status::kNotFound;
}
Status response_headers(const Source& s, std::string& out) {
  return put_headers(out, s.callbacks->response_headers(), s.rest);
}
Status response_trailers(const Source& s, std::string& out) {
  return put_headers(out, s.callbacks->response_trailers(), s.rest);
}
Status response_size(const Source& s, std::string& out) {
  return put_number(out, static_cast<int64_t>(s.callbacks->info().bytes_sent));
}
Status response_total_size(const Source& s, std::string& out) {
  const http::StreamInfo& info = s.callbacks->info();
  return put_number(out, static_cast<int64_t>(info.bytes_sent + info.response_headers_bytes));
}
Status response_headers_bytes(const Source& s, std::string& out) {
  return put_number(out, static_cast<int64_t>(s.callbacks->info().response_headers_bytes));
}
Status response_backend_latency(const Source& s, std::string& out) {
  const http::StreamInfo& info = s.callbacks->info();
  if (info.upstream_first_byte_monotonic == 0) return Status::kNotFound;
  return put_number(out, info.upstream_first_byte_monotonic - info.start_monotonic);
}

// --- connections ---

Status put_address(std::string& out, const config::Address* a) {
  return a != nullptr && !a->host.empty() ? put(out, a->to_string()) : Status::kNotFound;
}
Status put_port(std::string& out, const config::Address* a) {
  return a != nullptr && !a->host.empty() ? put_number(out, a->port) : Status::kNotFound;
}
Status source_address(const Source& s, std::string& out) {
  return put_address(out, s.callbacks->info().downstream_remote);
}
Status source_port(const Source& s, std::string& out) {
  return put_port(out, s.callbacks->info().downstream_remote);
}
Status destination_address(const Source& s, std::string& out) {
  return put_address(out, s.callbacks->info().downstream_local);
}
Status destination_port(const Source& s, std::string& out) {
  return put_port(out, s.callbacks->info().downstream_local);
}
Status connection_id(const Source& s, std::string& out) {
  return put_number(out, static_cast<int64_t>(s.callbacks->info().connection_id));
}
Status connection_mtls(const Source&, std::string& out) {
  return put_bool(out, false);
}
Status upstream_address(const Source& s, std::string& out) {
  return put_address(out, &s.callbacks->info().upstream_host);
}
Status upstream_port(const Source& s, std::string& out) {
  return put_port(out, &s.callbacks->info().upstream_host);
}
Status upstream_local_address(const Source& s, std::string& out) {
  return put_address(out, &s.callbacks->info().upstream_local);
}
Status upstream_attempts(const Source& s, std::string& out) {
  return put_number(out, s.callbacks->info().upstream_request_attempts);
}

// --- xds ---

Status xds_node(const Source& s, std::string& out) {
  const config::Node& node = *s.options.node;
  if (s.rest.empty()) return put(out, node_bytes(node));
  const std::string_view field = s.rest.front();
  if (field == "id") return put(out, node.id);
  if (field == "cluster") return put(out, node.cluster);
  if (field == "locality" && s.rest.size() == 2 && s.rest[1] == "zone") return put(out, node.zone);
  if (field == "metadata" && s.rest.size() >= 2) {
    for (const auto& [name, json] : node.metadata) {
      if (name == s.rest[1]) return json_attribute(json, s.rest.subspan(2), out);
    }
  }
  return Status::kNotFound;
}
const config::Cluster* cluster_of(const Source& s) {
  if (s.callbacks == nullptr) return nullptr;
  const std::string& name = s.callbacks->info().upstream_cluster;
  const auto& all = *s.options.clusters;
  const auto it = std::find_if(all.begin(), all.end(), [&](const config::Cluster& c) { return c.name == name; });
  return it == all.end() ? nullptr : &*it;
}
Status xds_cluster_name(const Source& s, std::string& out) {
  const config::Cluster* cluster = cluster_of(s);
  return cluster != nullptr ? put(out, cluster->name) : Status::kNotFound;
}
Status xds_cluster_metadata(const Source& s, std::string& out) {
  const config::Cluster* cluster = cluster_of(s);
  return cluster != nullptr ? put_metadata(out, cluster->metadata, s.rest) : Status::kNotFound;
}
const router::RouteEntry* route_of(const Source& s) {
  return s.callbacks != nullptr ? s.callbacks->info().route : nullptr;
}
Status xds_route_name(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? put(out, route->config->name) : Status::kNotFound;
}
Status xds_route_metadata(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? put_metadata(out, route->config->metadata, s.rest) : Status::kNotFound;
}
Status xds_virtual_host_name(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? put(out, route->virtual_host->name) : Status::kNotFound;
}
Status xds_virtual_host_metadata(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? put_metadata(out, route->virtual_host->metadata, s.rest) : Status::kNotFound;
}
Status xds_upstream_host_metadata(const Source& s, std::string& out) {
  const config::Cluster* cluster = cluster_of(s);
  if (cluster == nullptr) return Status::kNotFound;
  const config::Address& used = s.callbacks->info().upstream_host;
  for (const config::Endpoint& endpoint : cluster->endpoints) {
    if (endpoint.address.port == used.port && endpoint.address.host == used.host) {
      return put_metadata(out, endpoint.metadata, s.rest);
    }
  }
  return Status::kNotFound;
}
Status xds_filter_chain_name(const Source& s, std::string& out) {
  return s.options.listener != nullptr ? put(out, s.options.listener->filter_chain_name) : Status::kNotFound;
}
Status xds_listener_metadata(const Source& s, std::string& out) {
  return s.options.listener != nullptr ? put_metadata(out, s.options.listener->metadata, s.rest) : Status::kNotFound;
}
Status xds_listener_direction(const Source& s, std::string& out) {
  if (s.options.listener == nullptr) return Status::kNotFound;
  return put_number(out, static_cast<int64_t>(s.options.listener->traffic_direction));
}

// --- the table ---

struct Attribute {
  std::string_view root;
  std::string_view name;
  Status (*get)(const Source&, std::string&);
  bool needs_stream;
};
constexpr Attribute kAttributes[] = {
    {"request", "path", request_path, true},
    {"request", "url_path", request_url_path, true},
    {"request", "query", request_query, true},
    {"request", "host", request_host, true},
    {"request", "scheme", request_scheme, true},
    {"request", "method", request_method, true},
    {"request", "headers", request_headers, true},
    {"request", "referer", request_referer, true},
    {"request", "useragent", request_useragent, true},
    {"request", "id", request_id, true},
    {"request", "time", request_time, true},
    {"request", "protocol", request_protocol, true},
    {"request", "size", request_size, true},
    {"request", "total_size", request_total_size, true},
    {"request", "headers_bytes", request_headers_bytes, true},
    {"request", "duration", request_duration, true},
    {"response", "code", response_code, true},
    {"response", "code_details", response_code_details, true},
    {"response", "flags", response_flags, true},
    {"response", "grpc_status", response_grpc_status, true},
    {"response", "headers", response_headers, true},
    {"response", "trailers", response_trailers, true},
    {"response", "size", response_size, true},
    {"response", "total_size", response_total_size, true},
    {"response", "headers_bytes", response_headers_bytes, true},
    {"response", "backend_latency", response_backend_latency, true},
    {"source", "address", source_address, true},
    {"source", "port", source_port, true},
    {"destination", "address", destination_address, true},
    {"destination", "port", destination_port, true},
    {"connection", "id", connection_id, true},
    {"connection", "mtls", connection_mtls, true},
    {"upstream", "address", upstream_address, true},
    {"upstream", "port", upstream_port, true},
    {"upstream", "local_address", upstream_local_address, true},
    {"upstream", "request_attempt_count", upstream_attempts, true},
    {"xds", "node", xds_node, false},
    {"xds", "cluster_name", xds_cluster_name, false},
    {"xds", "cluster_metadata", xds_cluster_metadata, false},
    {"xds", "route_name", xds_route_name, false},
    {"xds", "route_metadata", xds_route_metadata, false},
    {"xds", "virtual_host_name", xds_virtual_host_name, false},
    {"xds", "virtual_host_metadata", xds_virtual_host_metadata, false},
    {"xds", "upstream_host_metadata", xds_upstream_host_metadata, false},
    {"xds", "filter_chain_name", xds_filter_chain_name, false},
    {"xds", "listener_metadata", xds_listener_metadata, false},
    {"xds", "listener_direction", xds_listener_direction, false},
};

// Top-level names of Envoy before 1.33, which are xds.<name> now.
constexpr std::string_view kLegacy[] = {"node",
                                        "cluster_name",
                                        "cluster_metadata",
                                        "route_name",
                                        "route_metadata",
                                        "listener_direction",
                                        "listener_metadata",
                                        "upstream_host_metadata",
                                        "filter_chain_name"};

Status find(const AttributeOptions& options, http::FilterCallbacks* callbacks, std::string_view root,
            std::span<const std::string_view> path, std::string& value) {
  bool known_root = false;
  for (const Attribute& attribute : kAttributes) {
    if (attribute.root != root) continue;
    known_root = true;
    if (path.empty() || attribute.name != path.front()) continue;
    if (attribute.needs_stream && callbacks == nullptr) return Status::kNotFound;
    return attribute.get(Source{options, callbacks, path.subspan(1)}, value);
  }
  // A root is a map of Envoy's own making, which has no wire form.
  return known_root && path.empty() ? Status::kSerializationFailure : Status::kNotFound;
}

// An empty last part: some guests send a trailing NUL.
std::span<const std::string_view> trimmed(const Path& path) {
  std::span<const std::string_view> parts(path);
  while (!parts.empty() && parts.back().empty()) parts = parts.first(parts.size() - 1);
  return parts;
}

Status lookup(const AttributeOptions& options, http::FilterCallbacks* callbacks,
              std::span<const std::string_view> parts, std::string& value) {
  if (parts.empty()) return Status::kNotFound;
  const std::string_view first = parts.front();
  if (options.legacy && std::find(std::begin(kLegacy), std::end(kLegacy), first) != std::end(kLegacy)) {
    return find(options, callbacks, "xds", parts, value);
  }
  return find(options, callbacks, first, parts.subspan(1), value);
}

}  // namespace

Status root_attribute(const AttributeOptions& options, const Path& path, std::string& value) {
  return lookup(options, nullptr, trimmed(path), value);
}

Status stream_attribute(const AttributeOptions& options, http::FilterCallbacks& callbacks, const Path& path,
                        std::string& value) {
  const auto parts = trimmed(path);
  if (parts.empty()) return Status::kNotFound;
  const http::StreamInfo& info = callbacks.info();
  if (parts.size() == 1 && parts[0] == "connection_id") {
    return put_number(value, static_cast<int64_t>(info.connection_id));
  }
  if (parts[0] == "metadata" || parts[0] == "filter_state" || parts[0] == "upstream_filter_state") {
    if (parts.size() == 1) return Status::kSerializationFailure;
    if (parts[0] != "filter_state") return Status::kNotFound;  // nothing here writes dynamic metadata
  }
  // What set_property has stored, by the same single-part path.
  const std::string_view key = parts[0] == "filter_state" ? parts[1] : parts[0];
  if (parts[0] == "filter_state" || parts.size() == 1) {
    for (const auto& [name, stored, read_only, of_connection] : info.filter_state) {
      const std::string_view n = name;
      const bool same = parts[0] == "filter_state" ? n == key : n.starts_with("wasm.") && n.substr(5) == key;
      if (same) return put(value, stored);
    }
  }
  return lookup(options, &callbacks, parts, value);
}

}  // namespace inlay::proxy::wasm_filter
