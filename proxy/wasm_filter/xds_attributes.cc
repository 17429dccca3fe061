// SPDX-License-Identifier: Apache-2.0
// xds.*: what the configuration says of the request's way.

#include <algorithm>

#include "config/proto_encoding.h"
#include "proxy/wasm_filter/attribute.h"
#include "proxy/wasm_filter/struct_value.h"

namespace inlay::proxy::wasm_filter {
namespace {

using abi::Status;
using Source = AttributeSource;

// The route that the request takes, or, since filters come before the router, would have taken before they changed it.
const router::RouteEntry* route_of(const Source& s) {
  if (s.stream == nullptr) return nullptr;
  if (s.info().route != nullptr) return s.info().route;
  if (s.info().early_route) return *s.info().early_route;
  if (s.info().kept_route) return *s.info().kept_route;
  const bool known = s.stream->routes != nullptr && s.stream->routed_headers != nullptr;
  return known ? s.stream->routes->match(*s.stream->routed_headers) : nullptr;
}

upstream::Cluster* cluster_named(const Source& s, std::string_view name) {
  const auto index = s.options.clusters->find(name);
  return index ? &s.options.clusters->at(*index) : nullptr;
}

Status node(const Source& s, std::string& out) {
  return node_attribute(*s.options.node, s.rest, out);
}

Status cluster_name(const Source& s, std::string& out) {
  const upstream::Cluster* cluster = cluster_of(s);
  return cluster != nullptr && s.rest.empty() ? put_text(out, cluster->config.name) : Status::kNotFound;
}
Status cluster_metadata(const Source& s, std::string& out) {
  const upstream::Cluster* cluster = cluster_of(s);
  return cluster != nullptr ? metadata_attribute(cluster->config.metadata, s.rest, out) : Status::kNotFound;
}

Status route_name(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? put_text(out, route->config->name) : Status::kNotFound;
}
Status route_metadata(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? metadata_attribute(route->config->metadata, s.rest, out) : Status::kNotFound;
}
Status virtual_host_name(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? put_text(out, route->virtual_host->name) : Status::kNotFound;
}
Status virtual_host_metadata(const Source& s, std::string& out) {
  const router::RouteEntry* route = route_of(s);
  return route != nullptr ? metadata_attribute(route->virtual_host->metadata, s.rest, out) : Status::kNotFound;
}

// An endpoint without metadata has none, where a cluster or a route has an empty message.
Status endpoint_metadata(const config::Metadata& metadata, const Source& s, std::string& out) {
  if (metadata.empty()) return s.rest.empty() ? Status::kSerializationFailure : Status::kNotFound;
  return metadata_attribute(metadata, s.rest, out);
}

Status upstream_host_metadata(const Source& s, std::string& out) {
  const config::Endpoint* endpoint = endpoint_of(s);
  return endpoint != nullptr ? endpoint_metadata(endpoint->metadata, s, out) : Status::kNotFound;
}

Status upstream_host_locality_metadata(const Source& s, std::string& out) {
  const config::Endpoint* endpoint = endpoint_of(s);
  return endpoint != nullptr ? endpoint_metadata(endpoint->locality_metadata, s, out) : Status::kNotFound;
}

// A listener's attributes are a stream's, as in Envoy: a root context may serve several listeners.
const config::Listener* listener_of(const Source& s) {
  return s.stream != nullptr ? s.options.listener : nullptr;
}
Status filter_chain_name(const Source& s, std::string& out) {
  const config::Listener* listener = listener_of(s);
  return listener != nullptr ? put_text(out, listener->filter_chain_name) : Status::kNotFound;
}
Status listener_metadata(const Source& s, std::string& out) {
  const config::Listener* listener = listener_of(s);
  return listener != nullptr ? metadata_attribute(listener->metadata, s.rest, out) : Status::kNotFound;
}
Status listener_direction(const Source& s, std::string& out) {
  const config::Listener* listener = listener_of(s);
  return listener != nullptr ? put_number(out, static_cast<int64_t>(listener->traffic_direction)) : Status::kNotFound;
}

constexpr Attribute kXds[] = {
    {"node", AttributeKind::kMessage, &node, "`core.v3.Node`; go on with `id`, `cluster`, `metadata`, `locality`."},
    {"cluster_name", AttributeKind::kString, &cluster_name, "Of the cluster that the route leads to."},
    {"cluster_metadata", AttributeKind::kMessage, &cluster_metadata,
     "`core.v3.Metadata`; go on with `filter_metadata`, a filter, a key, ..."},
    {"route_name", AttributeKind::kString, &route_name,
     "Of the route that the request takes; before the router, that it would have taken as it came."},
    {"route_metadata", AttributeKind::kMessage, &route_metadata, ""},
    {"virtual_host_name", AttributeKind::kString, &virtual_host_name, ""},
    {"virtual_host_metadata", AttributeKind::kMessage, &virtual_host_metadata, ""},
    {"upstream_host_metadata", AttributeKind::kMessage, &upstream_host_metadata, "Once the request is sent."},
    {"upstream_host_locality_metadata", AttributeKind::kMessage, &upstream_host_locality_metadata, ""},
    {"filter_chain_name", AttributeKind::kString, &filter_chain_name, ""},
    {"listener_metadata", AttributeKind::kMessage, &listener_metadata, ""},
    {"listener_direction", AttributeKind::kInt, &listener_direction, "0 unspecified, 1 inbound, 2 outbound."},
};

}  // namespace

const upstream::Cluster* cluster_of(const Source& s) {
  if (s.stream == nullptr) return nullptr;
  if (!s.info().upstream_cluster.empty()) return cluster_named(s, s.info().upstream_cluster);
  const router::RouteEntry* route = route_of(s);
  if (route == nullptr || route->route == nullptr) return nullptr;
  if (!route->route->cluster.empty()) return cluster_named(s, route->route->cluster);
  const http::HeaderMap* headers = s.stream->routed_headers;
  const auto name = headers != nullptr ? headers->get(route->route->cluster_header) : std::nullopt;
  return name ? cluster_named(s, *name) : nullptr;
}

const config::Endpoint* endpoint_of(const Source& s) {
  const upstream::Cluster* cluster = s.stream != nullptr ? cluster_of(s) : nullptr;
  if (cluster == nullptr || s.info().upstream_host.host.empty()) return nullptr;
  const Address& used = s.info().upstream_host;
  const auto hosts = cluster->hosts();
  const auto found = std::find_if(hosts->begin(), hosts->end(),
                                  [&](const upstream::HostSpec& host) { return host.address.is_same_place(used); });
  return found == hosts->end() ? nullptr : found->endpoint;
}

std::span<const Attribute> xds_attributes() {
  return kXds;
}

}  // namespace inlay::proxy::wasm_filter
