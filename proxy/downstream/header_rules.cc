// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/header_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/ascii.h"
#include "http/grpc.h"
#include "http/http1_grammar.h"
#include "http/upgrade.h"
#include "proxy/downstream/client_address.h"
#include "proxy/downstream/path_normalizer.h"

namespace inlay::proxy::downstream {
namespace {

using host::LocalReply;
using http::HeaderId;
using http::HeaderMap;

constexpr uint64_t bit(HeaderId id) {
  return uint64_t{1} << static_cast<unsigned>(id);
}
static_assert(static_cast<unsigned>(HeaderId::kCount) <= 64);

// Which of the known fields are there, so that one pass serves all questions.
uint64_t present(const HeaderMap& headers) {
  uint64_t mask = 0;
  for (const auto& entry : headers) mask |= bit(entry.id);
  return mask & ~bit(HeaderId::kOther);
}

// Of which a request has a single entry in Envoy 1.40.0: what comes again goes behind the first, with a comma, so that
// who reads the field sees all that a client says there.
constexpr uint64_t kSingle = bit(HeaderId::kContentType) | bit(HeaderId::kExpect) | bit(HeaderId::kUserAgent) |
                             bit(HeaderId::kReferer) | bit(HeaderId::kAuthorization) | bit(HeaderId::kVia) |
                             bit(HeaderId::kXRequestId) | bit(HeaderId::kXForwardedFor) |
                             bit(HeaderId::kXForwardedProto) | bit(HeaderId::kXForwardedHost) |
                             bit(HeaderId::kXForwardedPort) | bit(HeaderId::kXEnvoyAttemptCount);

// Which of the known fields are there, and which of kSingle more than once.
uint64_t present(const HeaderMap& headers, uint64_t& again) {
  uint64_t mask = 0;
  uint64_t twice = 0;
  for (const auto& entry : headers) {
    twice |= mask & bit(entry.id);
    mask |= bit(entry.id);
  }
  again = twice & kSingle;
  return mask & ~bit(HeaderId::kOther);
}

// Makes one entry of several, of each field in `again`; an empty value leaves nothing behind.
void join(HeaderMap& headers, uint64_t again) {
  for (unsigned i = 0; again != 0; ++i, again >>= 1) {
    if ((again & 1) == 0) continue;
    std::string value;
    for (const auto& entry : headers) {
      if (static_cast<unsigned>(entry.id) != i || entry.value.empty()) continue;
      if (!value.empty()) value += ',';
      value += entry.value;
    }
    headers.set(static_cast<HeaderId>(i), value);
  }
}

constexpr uint64_t kHopByHop = bit(HeaderId::kConnection) | bit(HeaderId::kKeepAlive) |
                               bit(HeaderId::kProxyConnection) | bit(HeaderId::kUpgrade) | bit(HeaderId::kTe);

// Fields that Connection must not take away: they carry the message's frame or what a proxy before us vouches for.
bool may_be_nominated(std::string_view lower) {
  static constexpr std::array<std::string_view, 7> kKept = {
      "host", "content-length", "content-type", "te", "transfer-encoding", "x-request-id", "via"};
  return !lower.starts_with(':') && !lower.starts_with("x-forwarded-") && !lower.starts_with("x-envoy-") &&
         std::find(kKept.begin(), kKept.end(), lower) == kKept.end();
}

// Nominations: the fields that Connection takes away. A client may name thousands that are not there, so those that are
// there are looked up by a hash.
class Nominations {
 public:
  explicit Nominations(const HeaderMap& headers) {
    for (const auto& entry : headers) {
      if (may_be_nominated(entry.name)) fields_.push_back({hash(entry.name), entry.name, false});
    }
    std::sort(fields_.begin(), fields_.end(),
              [](const Field& a, const Field& b) { return std::tie(a.hash, a.name) < std::tie(b.hash, b.name); });
    const auto same = [](const Field& a, const Field& b) { return a.name == b.name; };
    fields_.erase(std::unique(fields_.begin(), fields_.end(), same), fields_.end());
  }
  void add(std::string_view option) {
    const uint32_t wanted = hash(option);
    const auto before = [](const Field& field, uint32_t value) { return field.hash < value; };
    auto at = std::lower_bound(fields_.begin(), fields_.end(), wanted, before);
    for (; at != fields_.end() && at->hash == wanted; ++at) {
      at->gone = at->gone || equals_ignore_case(at->name, option);
    }
  }
  void remove_from(HeaderMap& headers) const {
    std::vector<std::string> names;  // its own: removing one may move the others
    for (const Field& field : fields_) {
      if (field.gone) names.emplace_back(field.name);
    }
    for (const std::string& name : names) headers.remove(name);
  }

 private:
  struct Field {
    uint32_t hash;
    std::string_view name;
    bool gone;
  };
  static uint32_t hash(std::string_view text) {
    uint32_t value = 2166136261u;  // FNV-1a, without case
    for (char c : text) value = (value ^ static_cast<uint8_t>(c | 0x20)) * 16777619u;
    return value;
  }

  std::vector<Field> fields_;
};

void remove_nominated(HeaderMap& headers) {
  std::optional<Nominations> nominations;
  for (const auto& entry : headers) {
    if (entry.id != HeaderId::kConnection) continue;
    http::for_each_list_element(entry.value, [&](std::string_view option) {
      if (equals_ignore_case(option, "keep-alive") || equals_ignore_case(option, "close")) return;
      if (!nominations) nominations.emplace(headers);
      nominations->add(option);
    });
  }
  if (nominations) nominations->remove_from(headers);
}

// Those with which an upgrade is asked for, and agreed to. As in Envoy, `connection` takes nothing away then.
constexpr uint64_t kUpgrade = bit(HeaderId::kConnection) | bit(HeaderId::kUpgrade);

void remove_hop_by_hop(HeaderMap& headers, uint64_t mask, bool keeps_upgrade) {
  const uint64_t gone = keeps_upgrade ? kHopByHop & ~kUpgrade : kHopByHop;
  if (mask & gone & bit(HeaderId::kConnection)) remove_nominated(headers);
  bool te_trailers = false;
  headers.remove_if([&](const HeaderMap::Entry& entry) {
    if (entry.id == HeaderId::kTe) {
      http::for_each_list_element(entry.value, [&](std::string_view coding) {
        if (equals_ignore_case(coding.substr(0, coding.find(';')), "trailers")) te_trailers = true;
      });
    }
    return (bit(entry.id) & gone) != 0;
  });
  if (te_trailers) headers.add(HeaderId::kTe, "te", "trailers");
}

LocalReply refuse(uint32_t status, std::string details) {
  LocalReply reply;
  reply.status = status;
  reply.details = std::move(details);
  return reply;
}

// What a stranger must not say to the filters and to the router, as Envoy 1.40 has it.
constexpr std::array<std::string_view, 15> kInternalHeaders = {
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
};
// What only another proxy of ours may say, so that it is removed where strangers come in (use_remote_address).
constexpr std::array<std::string_view, 5> kHopHeaders = {
    "x-envoy-decorator-operation",     "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node", "x-envoy-original-host",
    "x-envoy-original-path",
};

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<LocalReply> HeaderRules::prepare_request(HeaderMap& headers, const Address& remote, HttpVersion version) {
  told_.clear();
  if (version == HttpVersion::k10) {
    if (auto reply = check_http10(headers)) return reply;
  }
  using Underscore = config::HttpConnectionManager::UnderscoreAction;
  if (config_.headers_with_underscores != Underscore::kAllow) {
    if (auto reply = check_names(headers, version)) return reply;
  }
  uint64_t again = 0;
  const uint64_t mask = present(headers, again);
  if (again != 0) [[unlikely]]
    join(headers, again);
  const std::string_view method = headers.value(HeaderId::kMethod);
  // RFC 9110 section 8.3 leaves it open, QUERY's own specification does not; as Envoy.
  if (method == "QUERY" && !headers.has(HeaderId::kContentType)) return refuse(400, "query_missing_content_type");
  if (mask & kHopByHop) {
    remove_hop_by_hop(headers, mask, (mask & bit(HeaderId::kUpgrade)) && http::is_upgrade(headers));
  }
  // The parser has dealt with it; how the request is framed upstream is our own choice.
  if (mask & bit(HeaderId::kTransferEncoding)) headers.remove(HeaderId::kTransferEncoding);
  if ((mask & bit(HeaderId::kTrailer)) && !passes_trailers(version)) headers.remove(HeaderId::kTrailer);
  // What a client says of its certificate, an upstream would take for what we have verified: SANITIZE, as by default.
  if (mask & bit(HeaderId::kXForwardedClientCert)) headers.remove(HeaderId::kXForwardedClientCert);
  if (auto reply = prepare_path(headers)) return reply;
  if (config_.strip_trailing_host_dot) strip_trailing_dot(headers);
  if (config_.strip_any_host_port || config_.strip_matching_host_port) strip_port(headers);
  prepare_forwarded(headers, remote);
  if (!config_.via.empty()) append_via(headers);
  return std::nullopt;
}

std::optional<LocalReply> HeaderRules::check_http10(HeaderMap& headers) const {
  if (!config_.accept_http_10) return refuse(426, "low_version");
  if (headers.has(HeaderId::kAuthority)) return std::nullopt;
  if (config_.default_host_for_http_10.empty()) return refuse(400, "missing_host_header");
  headers.add(HeaderId::kAuthority, ":authority", config_.default_host_for_http_10);
  return std::nullopt;
}

std::optional<LocalReply> HeaderRules::check_names(HeaderMap& headers, HttpVersion version) const {
  const auto has_underscore = [](const HeaderMap::Entry& entry) {
    return entry.name.find('_') != std::string_view::npos;
  };
  if (config_.headers_with_underscores == config::HttpConnectionManager::UnderscoreAction::kDropHeader) {
    headers.remove_if(has_underscore);
  } else if (std::any_of(headers.begin(), headers.end(), has_underscore)) {
    return refuse(400, version == HttpVersion::k2 ? "http2.unexpected_underscore" : "http1.unexpected_underscore");
  }
  return std::nullopt;
}

std::optional<LocalReply> HeaderRules::prepare_path(HeaderMap& headers) const {
  if (!path_rules_concern(config_, headers.value(HeaderId::kPath))) return std::nullopt;
  std::string path(headers.value(HeaderId::kPath));
  const PathOutcome outcome = apply_path_rules(config_, path);
  if (path != headers.value(HeaderId::kPath)) headers.set(HeaderId::kPath, path);
  if (outcome == PathOutcome::kTake) return std::nullopt;
  // A gRPC client follows no redirect.
  if (outcome == PathOutcome::kRefuse || http::is_grpc(headers)) {
    return refuse(400, kPathNormalizationFailed);
  }
  LocalReply reply = refuse(307, kPathNormalizationFailed);
  reply.headers.emplace_back("location", same_server_reference(path));
  return reply;
}

// Of the name, whether a port follows it or not.
void HeaderRules::strip_trailing_dot(HeaderMap& headers) const {
  const std::string authority(headers.value(HeaderId::kAuthority));
  const size_t dot = authority.rfind('.');
  if (dot == std::string::npos) return;
  const std::string_view rest = std::string_view(authority).substr(dot + 1);
  if (rest.empty() || rest[0] == ':') headers.set(HeaderId::kAuthority, authority.substr(0, dot).append(rest));
}

void HeaderRules::strip_port(HeaderMap& headers) const {
  if (headers.value(HeaderId::kMethod) == "CONNECT") return;  // whose authority is nothing without it
  const std::string authority(headers.value(HeaderId::kAuthority));
  const size_t colon = authority.rfind(':');
  if (colon == std::string::npos || authority.find(']', colon) != std::string::npos) return;
  // What is no number is no port: it stays.
  uint32_t port = 0;
  const char* const end = authority.data() + authority.size();
  const auto parsed = std::from_chars(authority.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end) return;
  if (!config_.strip_any_host_port && port != port_) return;
  headers.set(HeaderId::kAuthority, authority.substr(0, colon));
}

HeaderRules::Client HeaderRules::client_of(const HeaderMap& headers, uint64_t mask, const Address& remote) {
  const uint32_t hops = config_.xff_num_trusted_hops;
  scratch_.clear();
  const bool forwarded = (mask & bit(HeaderId::kXForwardedFor)) != 0 && join_forwarded_for(headers, scratch_);
  const auto is_internal = [&](const std::string& ip) {
    return !ip.empty() && !config_.internal_addresses.empty() && is_in_ranges(ip, config_.internal_addresses);
  };
  const bool edge = config_.use_remote_address;
  // At the edge the connection's peer is the nearest of the trusted hops.
  if (forwarded && !(edge && hops == 0)) told_ = forwarded_address(scratch_, edge ? hops - 1 : hops).value_or("");
  const std::string_view ip = told_.empty() ? remote.host : told_;
  const bool near = remote.is_pipe ? config_.internal_pipes : is_internal(remote.host);
  if (edge) return {ip, !forwarded && near};
  // Only a list of one is believed: who stands in front of a proxy of ours could have written the others.
  return {ip, hops == 0 && scratch_.find(',') == std::string::npos && is_internal(told_)};
}

void HeaderRules::sanitize(HeaderMap& headers) const {
  const bool edge = config_.use_remote_address;
  headers.remove_if([edge](const HeaderMap::Entry& entry) {
    if (!entry.name.starts_with("x-envoy-")) return false;
    return contains(kInternalHeaders, entry.name) || (edge && contains(kHopHeaders, entry.name));
  });
  for (const std::string& name : config_.route_config.internal_only_headers) headers.remove(name);
}

void HeaderRules::prepare_forwarded(HeaderMap& headers, const Address& remote) {
  const uint64_t mask = present(headers);
  if (mask & bit(HeaderId::kXEnvoyInternal)) headers.remove(HeaderId::kXEnvoyInternal);
  const Client client = client_of(headers, mask, remote);  // leaves x-forwarded-for in scratch_
  const bool edge = config_.use_remote_address && !client.internal;
  if (!client.internal) sanitize(headers);
  if (config_.use_remote_address) {
    if (!config_.skip_xff_append && !remote.is_pipe) {
      if (!scratch_.empty()) scratch_ += ',';
      headers.set(HeaderId::kXForwardedFor, scratch_ += remote.host);
    }
    if (config_.xff_num_trusted_hops == 0) headers.set(HeaderId::kXForwardedProto, scheme_);
  }
  if (client.internal) headers.set(HeaderId::kXEnvoyInternal, "true");
  if (edge && !(remote.is_pipe && told_.empty())) headers.set(HeaderId::kXEnvoyExternalAddress, client.ip);
  if (!headers.has(HeaderId::kXForwardedProto)) {
    headers.add(HeaderId::kXForwardedProto, "x-forwarded-proto", scheme_);
  }
  if (!config_.scheme_to_overwrite.empty()) {
    headers.set(HeaderId::kScheme, config_.scheme_to_overwrite);
    headers.set(HeaderId::kXForwardedProto, config_.scheme_to_overwrite);  // too, in Envoy 1.40.0
  } else if (!(mask & bit(HeaderId::kScheme))) {
    const std::string_view proto = headers.value(HeaderId::kXForwardedProto);
    headers.add(HeaderId::kScheme, ":scheme", proto == "https" ? "https" : "http");
  }
  if (!config_.generate_request_id) return;
  if (!(mask & bit(HeaderId::kXRequestId))) {
    headers.add(HeaderId::kXRequestId, "x-request-id", ids_.uuid());
  } else if (edge && !config_.preserve_external_request_id) {
    headers.set(HeaderId::kXRequestId, ids_.uuid());
  }
}

void HeaderRules::append_via(HeaderMap& headers) const {
  std::string value(headers.value(HeaderId::kVia));
  if (!value.empty()) value += ", ";
  headers.set(HeaderId::kVia, value + config_.via);
}

void HeaderRules::prepare_informational(HeaderMap& headers) const {
  const uint64_t mask = present(headers);
  if (mask & kHopByHop) remove_hop_by_hop(headers, mask, false);
  headers.remove(HeaderId::kContentLength);
}

void HeaderRules::prepare_response(HeaderMap& response, const HeaderMap& request, std::string_view http_date,
                                   HttpVersion version, bool upgraded) const {
  using ServerHeader = config::HttpConnectionManager::ServerHeader;
  const uint64_t mask = present(response);
  if (mask & kHopByHop) remove_hop_by_hop(response, mask, upgraded && http::is_upgrade(response));
  if ((mask & bit(HeaderId::kTrailer)) && !passes_trailers(version)) response.remove(HeaderId::kTrailer);
  if (mask & bit(HeaderId::kTransferEncoding)) response.remove(HeaderId::kTransferEncoding);
  if (!(mask & bit(HeaderId::kDate))) response.add(HeaderId::kDate, "date", http_date);
  if (!(mask & bit(HeaderId::kServer))) {
    if (config_.server_header != ServerHeader::kPassThrough) {
      response.add(HeaderId::kServer, "server", config_.server_name);
    }
  } else if (config_.server_header == ServerHeader::kOverwrite) {
    response.set(HeaderId::kServer, config_.server_name);
  }
  if (config_.always_set_request_id_in_response && request.has(HeaderId::kXRequestId)) {
    response.set(HeaderId::kXRequestId, request.value(HeaderId::kXRequestId));
  }
  if (!config_.via.empty()) append_via(response);
}

}  // namespace inlay::proxy::downstream
