// SPDX-License-Identifier: Apache-2.0
#pragma once

// extensions/transport_sockets/tls/v3 as the data plane uses it: PEM texts are read and found to be PEM, names are
// checked. Plain values; part of the model (model.h).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/string_matcher.h"

namespace inlay::config {

struct TlsCertificate {
  std::string chain;     // PEM, the leaf first
  std::string key;       // PEM; a secret
  std::string password;  // of the key; a secret
  std::string file;      // where the chain is from, for people
};

// CertificateValidationContext: what a peer's certificate must be. Without one a server's is not verified.
struct TlsValidation {
  struct SubjectAltName {
    enum class Type : uint8_t { kDns, kUri, kEmail, kIpAddress } type = Type::kDns;
    StringMatcher matcher;
  };
  std::string trusted_ca;                         // PEM
  std::string trusted_ca_file;                    // where it is from, for people
  bool system_roots = false;                      // the system's certificates, instead of trusted_ca
  bool anchored = false;                          // some authority is trusted
  std::vector<SubjectAltName> subject_alt_names;  // any of them
  std::vector<std::string> certificate_hashes;    // SHA-256 of the leaf, 32 bytes each; any of them
  std::vector<std::string> public_key_hashes;     // SHA-256 of its SubjectPublicKeyInfo; any of either list
  std::string revocation_lists;                   // PEM
  bool allow_expired = false;
  bool accept_untrusted = false;  // trust_chain_verification ACCEPT_UNTRUSTED
  std::optional<uint32_t> max_depth;
};

// CommonTlsContext.
struct TlsCommon {
  enum class Version : uint8_t { kAuto, kTls10, kTls11, kTls12, kTls13 };
  Version min_version = Version::kAuto;
  Version max_version = Version::kAuto;
  std::string cipher_suites;  // in OpenSSL's form, joined by ':'; of TLS 1.2 and below
  std::string curves;
  std::vector<TlsCertificate> certificates;
  std::optional<TlsValidation> validation;
  std::vector<std::string> alpn;
};

struct UpstreamTls : TlsCommon {
  std::string sni;
  bool auto_host_sni = false;            // the endpoint's hostname instead of `sni`
  bool auto_sni_san_validation = false;  // the certificate must be valid for the SNI
};

struct DownstreamTls : TlsCommon {
  bool require_client_certificate = false;
  bool require_sni = false;
  bool tells_server_name = true;  // to guests and logs, what the client asked for; in Envoy it takes a tls_inspector
  std::chrono::milliseconds session_timeout{0};    // 0: OpenSSL's own
  std::chrono::milliseconds handshake_timeout{0};  // FilterChain.transport_socket_connect_timeout; 0: off
};

}  // namespace inlay::config
