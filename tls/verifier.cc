// SPDX-License-Identifier: Apache-2.0
#include "tls/verifier.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "tls/openssl.h"

namespace inlay::tls {
namespace {

using Type = config::TlsValidation::SubjectAltName::Type;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

constexpr std::array kTypes = {Type::kDns, Type::kUri, Type::kEmail, Type::kIpAddress};
constexpr std::string_view kTypeNames[] = {"DNS", "URI", "EMAIL", "IP_ADDRESS"};

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string ip_text(const std::string& bytes) {
  char out[INET6_ADDRSTRLEN];
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return "";
  return inet_ntop(family, bytes.data(), out, sizeof out) == nullptr ? "" : out;
}

std::string value_of(const GENERAL_NAME& name, Type type) {
  switch (type) {
    case Type::kDns:
      return name.type == GEN_DNS ? text_of(name.d.dNSName) : "";
    case Type::kUri:
      return name.type == GEN_URI ? text_of(name.d.uniformResourceIdentifier) : "";
    case Type::kEmail:
      return name.type == GEN_EMAIL ? text_of(name.d.rfc822Name) : "";
    case Type::kIpAddress:
      return name.type == GEN_IPADD ? ip_text(text_of(name.d.iPAddress)) : "";
  }
  return "";
}

// "DNS a.example, URI spiffe://..."; for the message about names that are wrong.
std::string all_names(const X509& leaf) {
  std::string out;
  for (Type type : kTypes) {
    for (const std::string& name : subject_alt_names(leaf, type)) {
      out += (out.empty() ? "" : ", ") + std::string(kTypeNames[static_cast<size_t>(type)]) + " " + name;
      if (out.size() > 500) return out + ", ...";
    }
  }
  return out.empty() ? "none" : out;
}

std::string sha256(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(out.data()), size};
}

template <class Object, class Encode>
std::string encoded(const Object* object, Encode encode) {
  unsigned char* bytes = nullptr;
  const int size = object == nullptr ? -1 : encode(object, &bytes);
  if (size < 0) return "";
  std::string out(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

bool contains(const std::vector<std::string>& list, const std::string& hash) {
  return std::find(list.begin(), list.end(), hash) != list.end();
}

Result<> add_certificates(X509_STORE& store, const std::string& pem) {
  config::PemReader reader(pem);
  while (const CertificatePtr certificate = reader.certificate())
    if (X509_STORE_add_cert(&store, certificate.get()) != 1) return refused("trusted_ca");
  (void)take_openssl_error();  // the end of the text
  return Unit{};
}

Result<> add_revocation_lists(X509_STORE& store, const std::string& pem) {
  config::PemReader reader(pem);
  while (const config::RevocationListPtr list = reader.revocation_list())
    if (X509_STORE_add_crl(&store, list.get()) != 1) return refused("crl");
  (void)take_openssl_error();
  return Unit{};
}

}  // namespace

std::vector<std::string> subject_alt_names(const X509& certificate, Type type) {
  std::vector<std::string> out;
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    std::string value = value_of(*sk_GENERAL_NAME_value(names.get(), i), type);
    // A NUL inside would make two readers see two names.
    if (!value.empty() && value.find('\0') == std::string::npos) out.push_back(std::move(value));
  }
  return out;
}

bool dns_name_matches(std::string_view certificate_name, std::string_view host) {
  if (equals_ignore_case(certificate_name, host)) return true;
  if (!certificate_name.starts_with("*.") || certificate_name.find('.', 2) == std::string_view::npos) return false;
  const size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && equals_ignore_case(certificate_name.substr(1), host.substr(dot));
}

Result<Verifier> Verifier::create(const config::TlsValidation& config) {
  Verifier out;
  out.config_ = config;
  for (const auto& name : config.subject_alt_names) {
    INLAY_TRY(auto matcher, match::StringMatcher::compile(name.matcher));
    out.names_.emplace_back(name.type, std::move(matcher));
  }
  return out;
}

Result<> Verifier::fill(X509_STORE& store) const {
  // As Envoy: any certificate of trusted_ca is an anchor, also an intermediate one.
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (config_.allow_expired) flags |= X509_V_FLAG_NO_CHECK_TIME;
  if (!config_.revocation_lists.empty()) flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  X509_STORE_set_flags(&store, flags);
  if (config_.max_depth) X509_STORE_set_depth(&store, static_cast<int>(*config_.max_depth));
  if (config_.system_roots && X509_STORE_set_default_paths(&store) != 1) return refused("system_root_certs");
  INLAY_RETURN_IF_ERROR(add_certificates(store, config_.trusted_ca));
  return add_revocation_lists(store, config_.revocation_lists);
}

bool Verifier::name_matches(const X509& leaf) const {
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto& [type, matcher] = names_[i];
    const config::StringMatcher& config = config_.subject_alt_names[i].matcher;
    const bool wildcards = type == Type::kDns && config.kind == config::StringMatcher::Kind::kExact;
    for (const std::string& name : subject_alt_names(leaf, type)) {
      if (wildcards ? dns_name_matches(name, config.value) : matcher.matches(name)) return true;
    }
  }
  return false;
}

bool Verifier::hash_matches(const X509& leaf) const {
  const std::string certificate =
      encoded(&leaf, [](const X509* x, unsigned char** out) { return i2d_X509(const_cast<X509*>(x), out); });
  if (contains(config_.certificate_hashes, sha256(certificate))) return true;
  const std::string key = encoded(X509_get_X509_PUBKEY(&leaf), [](const X509_PUBKEY* k, unsigned char** out) {
    return i2d_X509_PUBKEY(const_cast<X509_PUBKEY*>(k), out);
  });
  return contains(config_.public_key_hashes, sha256(key));
}

Verifier::Outcome Verifier::check_leaf(const X509& leaf, const std::string& server_name) const {
  if (!server_name.empty()) {
    const auto names = subject_alt_names(leaf, Type::kDns);
    if (std::none_of(names.begin(), names.end(),
                     [&](const std::string& name) { return dns_name_matches(name, server_name); })) {
      return {Fault::kName, "the certificate is not for " + server_name + "; its names: " + all_names(leaf)};
    }
  } else if (!names_.empty() && !name_matches(leaf)) {
    return {Fault::kName, "no name of the certificate is one that is expected; its names: " + all_names(leaf)};
  }
  const bool pinned = !config_.certificate_hashes.empty() || !config_.public_key_hashes.empty();
  if (pinned && !hash_matches(leaf)) return {Fault::kHash, "the certificate has none of the hashes that are expected"};
  return {};
}

Verifier::Outcome Verifier::check(X509_STORE_CTX& context, const std::string& server_name) const {
  const bool anchored = config_.system_roots || !config_.trusted_ca.empty();
  if (anchored && X509_verify_cert(&context) != 1 && !config_.accept_untrusted) {
    return {Fault::kChain, X509_verify_cert_error_string(X509_STORE_CTX_get_error(&context))};
  }
  if (config_.accept_untrusted) return {};
  const X509* leaf = X509_STORE_CTX_get0_cert(&context);
  if (leaf == nullptr) return {Fault::kChain, "there is no certificate"};
  return check_leaf(*leaf, server_name);
}

}  // namespace inlay::tls
