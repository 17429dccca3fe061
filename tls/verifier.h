// SPDX-License-Identifier: Apache-2.0
#pragma once

// Verifier decides whether a peer's certificate is good: its chain, its names, its hashes, as
// CertificateValidationContext says. Immutable; any thread.

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/tls.h"
#include "match/string_matcher.h"

namespace inlay::tls {

class Verifier {
 public:
  // Errors: kInvalidArgument, a regular expression that RE2 does not take.
  static Result<Verifier> create(const config::TlsValidation& config);

  // Puts the trust anchors and revocation lists into the store that check() will be given contexts of.
  Result<> fill(X509_STORE& store) const;

  enum class Fault : uint8_t { kNone, kChain, kName, kHash };
  struct Outcome {
    Fault fault = Fault::kNone;
    std::string
        why;  // "unable to get local issuer certificate"; names the certificate's own names where they are wrong
  };
  // `context` is what OpenSSL hands to a verification callback. `server_name`: a name for which the certificate must be
  // valid, in the place of the configuration's own; empty: those.
  Outcome check(X509_STORE_CTX& context, const std::string& server_name) const;

 private:
  using Type = config::TlsValidation::SubjectAltName::Type;

  bool name_matches(const X509& leaf) const;
  bool hash_matches(const X509& leaf) const;
  Outcome check_leaf(const X509& leaf, const std::string& server_name) const;

  config::TlsValidation config_;
  std::vector<std::pair<Type, match::StringMatcher>> names_;
};

// A certificate's subject alternative names of a type.
std::vector<std::string> subject_alt_names(const X509& certificate, config::TlsValidation::SubjectAltName::Type type);

// Whether a name of a certificate, which may begin with "*.", stands for the host name. ASCII letters' case is ignored.
bool dns_name_matches(std::string_view certificate_name, std::string_view host);

}  // namespace inlay::tls
