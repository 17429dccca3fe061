// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeaderRules: what the connection manager does to a request's head before the filters and to a response's head after
// them (Envoy's conn_manager_utility): hop-by-hop fields, x-forwarded-*, x-request-id, :scheme, path and host
// normalisation, server, date, via. Inside of http/.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"
#include "host/embedder.h"
#include "http/header_map.h"
#include "proxy/downstream/request_id.h"

namespace inlay::proxy::downstream {

// The details of a reply by the path rules: 400, or 307 to the normal path.
inline constexpr const char* kPathNormalizationFailed = "path_normalization_failed";

// HttpVersion: of a client's connection.
enum class HttpVersion : uint8_t { k10, k11, k2 };

class HeaderRules {
 public:
  explicit HeaderRules(const config::Listener& listener)
      : config_(listener.http), port_(listener.address.port), scheme_(listener.tls ? "https" : "http") {}

  // Edits the head in place, or says how to refuse the request. One that asks for an upgrade keeps what says so.
  std::optional<host::LocalReply> prepare_request(http::HeaderMap& headers, const Address& remote, HttpVersion version);
  // Whom the last request's x-forwarded-for names as its client, where it is to be believed: an IP address, or empty.
  // Valid until the next request.
  std::string_view forwarded_client() const { return told_; }
  // Of an interim (1xx) response: what belongs to this connection or to a body is taken out.
  void prepare_informational(http::HeaderMap& headers) const;
  // `upgraded`: of a request for an upgrade that was let through; what the response says of one is left in it.
  void prepare_response(http::HeaderMap& response, const http::HeaderMap& request, std::string_view http_date,
                        HttpVersion version, bool upgraded = false) const;

  RandomIds& ids() { return ids_; }

 private:
  std::optional<host::LocalReply> check_http10(http::HeaderMap& headers) const;
  std::optional<host::LocalReply> check_names(http::HeaderMap& headers, HttpVersion version) const;
  bool passes_trailers(HttpVersion version) const { return version == HttpVersion::k2 || config_.enable_trailers; }
  std::optional<host::LocalReply> prepare_path(http::HeaderMap& headers) const;
  void strip_trailing_dot(http::HeaderMap& headers) const;
  void strip_port(http::HeaderMap& headers) const;
  struct Client {
    std::string_view ip;    // valid until the next request
    bool internal = false;  // not a stranger: internal_address_config
  };
  // Puts the list of all x-forwarded-for fields into scratch_. `mask`: which known fields there are.
  Client client_of(const http::HeaderMap& headers, uint64_t mask, const Address& remote);
  // Removes what a stranger must not say.
  void sanitize(http::HeaderMap& headers) const;
  void prepare_forwarded(http::HeaderMap& headers, const Address& remote);
  void append_via(http::HeaderMap& headers) const;

  const config::HttpConnectionManager& config_;
  const uint16_t port_;
  const std::string_view scheme_;  // of the connections that come here
  RandomIds ids_;
  std::string scratch_;
  std::string told_;  // forwarded_client()
};

}  // namespace inlay::proxy::downstream
