// SPDX-License-Identifier: Apache-2.0
// connection.*, source.*, destination.*, upstream.*.

#include "proxy/wasm_filter/attribute.h"
#include "proxy/wasm_filter/struct_value.h"

namespace inlay::proxy::wasm_filter {
namespace {

using abi::Status;
using Source = AttributeSource;

Status put_address(std::string& out, const Address* a) {
  return a != nullptr && !a->host.empty() ? put_text(out, a->to_string()) : Status::kNotFound;
}
Status put_port(std::string& out, const Address* a) {
  return a != nullptr && !a->host.empty() && !a->is_pipe ? put_number(out, int64_t{a->port}) : Status::kNotFound;
}

// --- connection, source, destination ---

Status connection_id(const Source& s, std::string& out) {
  return put_number(out, s.info().connection_id);
}
// --- what a handshake came to; nothing of it exists without TLS ---

enum class Side : uint8_t { kClient, kUpstream };

template <Side side>
const net::TlsInfo* tls_of(const Source& s) {
  return side == Side::kClient ? s.info().downstream_tls : s.info().upstream_tls.get();
}

Status mtls(const Source& s, std::string& out) {
  const net::TlsInfo* tls = tls_of<Side::kClient>(s);
  return put_bool(out, tls != nullptr && !tls->peer_digest.empty());
}
Status requested_server_name(const Source& s, std::string& out) {
  const net::TlsInfo* tls = tls_of<Side::kClient>(s);
  return put_text(out, tls != nullptr ? std::string_view(tls->server_name) : "");
}
template <Side side>
Status tls_version(const Source& s, std::string& out) {
  const net::TlsInfo* tls = tls_of<side>(s);
  return tls != nullptr ? put_text(out, tls->version) : Status::kNotFound;
}

using Certificate = net::TlsInfo::Certificate;

// A subject is there, if empty; a name is not.
template <Side side, Certificate net::TlsInfo::*Whose>
Status subject(const Source& s, std::string& out) {
  const net::TlsInfo* tls = tls_of<side>(s);
  return tls != nullptr ? put_text(out, (tls->*Whose).subject) : Status::kNotFound;
}
template <Side side, Certificate net::TlsInfo::*Whose, std::string Certificate::*Name>
Status san(const Source& s, std::string& out) {
  const net::TlsInfo* tls = tls_of<side>(s);
  if (tls == nullptr || (tls->*Whose.*Name).empty()) return Status::kNotFound;
  return put_text(out, tls->*Whose.*Name);
}
template <Side side>
Status peer_digest(const Source& s, std::string& out) {
  const net::TlsInfo* tls = tls_of<side>(s);
  return tls != nullptr && !tls->peer_digest.empty() ? put_text(out, tls->peer_digest) : Status::kNotFound;
}

constexpr auto kClient = Side::kClient;
constexpr auto kServer = Side::kUpstream;
constexpr auto kLocal = &net::TlsInfo::local;
constexpr auto kPeer = &net::TlsInfo::peer;
constexpr auto kDns = &Certificate::dns_name;
constexpr auto kUri = &Certificate::uri_name;

Status downstream_failure(const Source& s, std::string& out) {
  const std::string& reason = s.info().downstream_transport_failure;
  return reason.empty() ? Status::kNotFound : put_text(out, reason);
}

constexpr Attribute kConnection[] = {
    {"id", AttributeKind::kInt, &connection_id, "Also as `connection_id`."},
    {"mtls", AttributeKind::kBool, &mtls, "The client has shown a certificate."},
    {"requested_server_name", AttributeKind::kString, &requested_server_name,
     "Empty without TLS, and without a `tls_inspector`."},
    {"tls_version", AttributeKind::kString, &tls_version<kClient>, "With TLS, as all below: `TLSv1.3`."},
    {"subject_local_certificate", AttributeKind::kString, &subject<kClient, kLocal>, ""},
    {"subject_peer_certificate", AttributeKind::kString, &subject<kClient, kPeer>, ""},
    {"dns_san_local_certificate", AttributeKind::kString, &san<kClient, kLocal, kDns>, "The first one."},
    {"dns_san_peer_certificate", AttributeKind::kString, &san<kClient, kPeer, kDns>, "The first one."},
    {"uri_san_local_certificate", AttributeKind::kString, &san<kClient, kLocal, kUri>, "The first one."},
    {"uri_san_peer_certificate", AttributeKind::kString, &san<kClient, kPeer, kUri>, "The first one."},
    {"sha256_peer_certificate_digest", AttributeKind::kString, &peer_digest<kClient>, "In hexadecimal."},
    {"transport_failure_reason", AttributeKind::kString, &downstream_failure,
     "Why the handshake failed, for a network filter when it hears of the end."},
};

Status source_address(const Source& s, std::string& out) {
  return put_address(out, s.info().downstream_remote);
}
Status source_port(const Source& s, std::string& out) {
  return put_port(out, s.info().downstream_remote);
}
Status destination_address(const Source& s, std::string& out) {
  return put_address(out, s.info().downstream_local);
}
Status destination_port(const Source& s, std::string& out) {
  return put_port(out, s.info().downstream_local);
}

constexpr Attribute kSource[] = {
    {"address", AttributeKind::kString, &source_address,
     "The client's, with the port, which is 0 where `x-forwarded-for` names it. A pipe's client is called like the "
     "pipe: "
     "its path, or `@name`."},
    {"port", AttributeKind::kInt, &source_port, "A pipe has none."},
};
constexpr Attribute kDestination[] = {
    {"address", AttributeKind::kString, &destination_address, "With the port; of a pipe its path."},
    {"port", AttributeKind::kInt, &destination_port, "A pipe has none."},
};

// --- upstream ---

bool is_sent(const Source& s) {
  return !s.info().upstream_host.host.empty();
}

Status upstream_address(const Source& s, std::string& out) {
  return put_address(out, &s.info().upstream_host);
}
Status upstream_port(const Source& s, std::string& out) {
  return put_port(out, &s.info().upstream_host);
}
Status upstream_local_address(const Source& s, std::string& out) {
  return put_address(out, &s.info().upstream_local);
}
Status transport_failure_reason(const Source& s, std::string& out) {
  return is_sent(s) ? put_text(out, s.info().upstream_transport_failure) : Status::kNotFound;
}
Status request_attempt_count(const Source& s, std::string& out) {
  return put_number(out, int64_t{s.info().upstream_request_attempts});
}
Status cx_pool_ready_duration(const Source& s, std::string& out) {
  const downstream::StreamInfo& info = s.info();
  if (info.upstream_asked_monotonic == 0 || info.upstream_connected_monotonic == 0) return Status::kNotFound;
  return put_number(out, info.upstream_connected_monotonic - info.upstream_asked_monotonic);
}
Status num_endpoints(const Source& s, std::string& out) {
  const upstream::Cluster* cluster = cluster_of(s);
  return cluster != nullptr ? put_number(out, uint64_t{cluster->hosts()->size()}) : Status::kNotFound;
}

Status locality(const Source& s, std::string& out) {
  const config::Endpoint* endpoint = endpoint_of(s);
  return endpoint != nullptr ? locality_attribute(endpoint->locality, s.rest, out) : Status::kNotFound;
}

constexpr Attribute kUpstream[] = {
    {"address", AttributeKind::kString, &upstream_address,
     "With the port; of a pipe its path; once the request is sent."},
    {"port", AttributeKind::kInt, &upstream_port, "A pipe has none."},
    {"local_address", AttributeKind::kString, &upstream_local_address, "A connection to a pipe has none."},
    {"transport_failure_reason", AttributeKind::kString, &transport_failure_reason,
     "Why the last connection to a host failed, unless it took too long; empty if none has."},
    {"request_attempt_count", AttributeKind::kInt, &request_attempt_count, "0 before the request is sent."},
    {"cx_pool_ready_duration", AttributeKind::kDuration, &cx_pool_ready_duration,
     "How long the request waited for a connection."},
    {"num_endpoints", AttributeKind::kInt, &num_endpoints, "Of the cluster."},
    {"locality", AttributeKind::kMessage, &locality,
     "`core.v3.Locality` of the endpoint, once the request is sent; go on with `region`, `zone`, `sub_zone`."},
    {"tls_version", AttributeKind::kString, &tls_version<kServer>,
     "Once connected with TLS, as all below: `TLSv1.3`. Of a kept-alive connection too."},
    {"subject_local_certificate", AttributeKind::kString, &subject<kServer, kLocal>, ""},
    {"subject_peer_certificate", AttributeKind::kString, &subject<kServer, kPeer>, ""},
    {"dns_san_local_certificate", AttributeKind::kString, &san<kServer, kLocal, kDns>, "The first one."},
    {"dns_san_peer_certificate", AttributeKind::kString, &san<kServer, kPeer, kDns>, "The first one."},
    {"uri_san_local_certificate", AttributeKind::kString, &san<kServer, kLocal, kUri>, "The first one."},
    {"uri_san_peer_certificate", AttributeKind::kString, &san<kServer, kPeer, kUri>, "The first one."},
    {"sha256_peer_certificate_digest", AttributeKind::kString, &peer_digest<kServer>, "In hexadecimal."},
};

}  // namespace

std::span<const Attribute> connection_attributes() {
  return kConnection;
}
std::span<const Attribute> source_attributes() {
  return kSource;
}
std::span<const Attribute> destination_attributes() {
  return kDestination;
}
std::span<const Attribute> upstream_attributes() {
  return kUpstream;
}

}  // namespace inlay::proxy::wasm_filter
