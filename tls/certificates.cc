// SPDX-License-Identifier: Apache-2.0
#include "tls/certificates.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "match/string_matcher.h"
#include "tls/verifier.h"

namespace inlay::tls {

Result<Certificates::One> Certificates::load(const config::TlsCertificate& config) {
  One out;
  config::PemReader reader(config.chain);
  out.leaf = reader.certificate();
  if (!out.leaf) return refused("certificate_chain");
  out.chain.reset(sk_X509_new_null());
  while (CertificatePtr next = reader.certificate()) {
    if (!out.chain || sk_X509_push(out.chain.get(), next.get()) == 0) return refused("certificate_chain");
    (void)next.release();  // the chain's now
  }
  (void)take_openssl_error();  // the end of the text
  out.key = config::read_private_key(config.key, config.password);
  if (!out.key) return refused("private_key");
  out.names = subject_alt_names(*out.leaf, config::TlsValidation::SubjectAltName::Type::kDns);
  return out;
}

Result<Certificates> Certificates::create(const std::vector<config::TlsCertificate>& configs, SSL_CTX& context) {
  Certificates out;
  std::set<int> key_types;  // OpenSSL keeps one of each: a second would take the first one's place
  for (const config::TlsCertificate& config : configs) {
    INLAY_TRY(One one, load(config));
    if (key_types.insert(EVP_PKEY_base_id(one.key.get())).second &&
        SSL_CTX_use_cert_and_key(&context, one.leaf.get(), one.key.get(), one.chain.get(), 1) != 1) {
      return refused("certificate_chain");
    }
    out.all_.push_back(std::move(one));
  }
  return out;
}

template <class Fits>
bool Certificates::use_those(SSL& ssl, Fits fits, bool& found) const {
  for (const One& one : all_) {
    if (std::none_of(one.names.begin(), one.names.end(), fits)) continue;
    if (!std::exchange(found, true)) SSL_certs_clear(&ssl);
    // The later of two for one name and type of key counts in OpenSSL, the first one in Envoy.
    if (SSL_use_cert_and_key(&ssl, one.leaf.get(), one.key.get(), one.chain.get(), 0) != 1) (void)take_openssl_error();
  }
  return !found || SSL_get_certificate(&ssl) != nullptr;
}

bool Certificates::choose(SSL& ssl) const {
  const char* text = SSL_get_servername(&ssl, TLSEXT_NAMETYPE_host_name);
  if (text == nullptr) return true;
  const std::string_view host(text);
  bool found = false;
  const bool exact = use_those(
      ssl, [&](const std::string& name) { return equals_ignore_case(name, host); }, found);
  if (found) return exact;
  return use_those(
      ssl, [&](const std::string& name) { return dns_name_matches(name, host); }, found);
}

}  // namespace inlay::tls
