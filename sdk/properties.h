// SPDX-License-Identifier: Apache-2.0
#pragma once

// The properties that hosts have in common, with their types (Envoy 1.40, "Attributes"; docs/reference/properties.md
// says when each is there). get() of one that is not there, or not yet, is kNotFound.
//
//     if (auto cluster = properties::cluster_name.get()) log_info("goes to ", cluster->view());
//     if (auto took = properties::request_duration.get()) log_info("took ", took->count() / 1'000'000, " ms");
//
// Each get() is a call into the host and a copy. Strings are Bytes, numbers int64_t, times and lengths of time
// std::chrono::nanoseconds. Any other property: Property<T>(path), in sdk/property.h.

#include <chrono>
#include <cstdint>
#include <string_view>

#include "sdk/property.h"

namespace inlay::sdk::properties {

using std::chrono::nanoseconds;
using std::string_view_literals::operator""sv;

// The request. What comes from its headers can be read from on_request_headers until the request goes on, and in
// on_log.
inline constexpr Property<Bytes> request_path("request\0path"sv);          // with the query
inline constexpr Property<Bytes> request_url_path("request\0url_path"sv);  // without it
inline constexpr Property<Bytes> request_query("request\0query"sv);
inline constexpr Property<Bytes> request_host("request\0host"sv);
inline constexpr Property<Bytes> request_scheme("request\0scheme"sv);
inline constexpr Property<Bytes> request_method("request\0method"sv);
inline constexpr Property<Bytes> request_referer("request\0referer"sv);
inline constexpr Property<Bytes> request_user_agent("request\0useragent"sv);
inline constexpr Property<Bytes> request_id("request\0id"sv);  // x-request-id
inline constexpr Property<Bytes> request_protocol("request\0protocol"sv);
inline constexpr Property<nanoseconds> request_time("request\0time"sv);          // of its first byte, since 1970
inline constexpr Property<nanoseconds> request_duration("request\0duration"sv);  // in on_log
inline constexpr Property<int64_t> request_size("request\0size"sv);              // of the body, in bytes
inline constexpr Property<int64_t> request_total_size("request\0total_size"sv);  // and of the headers

// The response, from on_response_headers on; sizes and times as far as they have come.
inline constexpr Property<int64_t> response_code("response\0code"sv);
inline constexpr Property<Bytes> response_code_details("response\0code_details"sv);
inline constexpr Property<int64_t> response_flags("response\0flags"sv);  // Envoy's bits
inline constexpr Property<int64_t> response_grpc_status("response\0grpc_status"sv);
inline constexpr Property<int64_t> response_size("response\0size"sv);
inline constexpr Property<int64_t> response_total_size("response\0total_size"sv);
inline constexpr Property<nanoseconds> response_backend_latency("response\0backend_latency"sv);

// The client and its connection, at any time. `mtls` and what follows is of the TLS session between client and proxy;
// kNotFound without TLS, but for `mtls`. Of several names in a certificate the first.
inline constexpr Property<Bytes> source_address("source\0address"sv);  // with the port
inline constexpr Property<int64_t> source_port("source\0port"sv);
inline constexpr Property<Bytes> destination_address("destination\0address"sv);
inline constexpr Property<int64_t> destination_port("destination\0port"sv);

inline constexpr Property<int64_t> connection_id("connection\0id"sv);
inline constexpr Property<bool> connection_mtls("connection\0mtls"sv);  // the client has shown a certificate
inline constexpr Property<Bytes> connection_requested_server_name("connection\0requested_server_name"sv);
inline constexpr Property<Bytes> connection_tls_version("connection\0tls_version"sv);
inline constexpr Property<Bytes> connection_subject_peer_certificate("connection\0subject_peer_certificate"sv);
inline constexpr Property<Bytes> connection_uri_san_peer_certificate("connection\0uri_san_peer_certificate"sv);
inline constexpr Property<Bytes> connection_dns_san_peer_certificate("connection\0dns_san_peer_certificate"sv);

// The server, once the proxy has connected to one.
inline constexpr Property<Bytes> upstream_address("upstream\0address"sv);
inline constexpr Property<int64_t> upstream_port("upstream\0port"sv);
inline constexpr Property<Bytes> upstream_transport_failure_reason("upstream\0transport_failure_reason"sv);
inline constexpr Property<int64_t> upstream_request_attempt_count("upstream\0request_attempt_count"sv);

// The configuration that the request is handled by.
inline constexpr Property<Bytes> cluster_name("xds\0cluster_name"sv);  // of the cluster that the route leads to
inline constexpr Property<Bytes> route_name("xds\0route_name"sv);
inline constexpr Property<Bytes> virtual_host_name("xds\0virtual_host_name"sv);
inline constexpr Property<Bytes> filter_chain_name("xds\0filter_chain_name"sv);
inline constexpr Property<int64_t> listener_direction("xds\0listener_direction"sv);  // 1 inbound, 2 outbound, 0 neither

// The plugin's own, in any callback of any context.
inline constexpr Property<Bytes> plugin_name("plugin_name");
inline constexpr Property<Bytes> plugin_root_id("plugin_root_id");
inline constexpr Property<Bytes> plugin_vm_id("plugin_vm_id");

}  // namespace inlay::sdk::properties
