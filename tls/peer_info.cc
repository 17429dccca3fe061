// SPDX-License-Identifier: Apache-2.0
#include "tls/peer_info.h"

#include <openssl/evp.h>

#include <array>

#include "base/ascii.h"
#include "tls/verifier.h"

namespace inlay::tls {
namespace {

using Type = config::TlsValidation::SubjectAltName::Type;

std::string subject_of(const X509& certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size <= 0 ? "" : std::string(text, static_cast<size_t>(size));
}

std::string first(std::vector<std::string> names) {
  return names.empty() ? "" : std::move(names.front());
}

net::TlsInfo::Certificate describe_certificate(const X509* certificate) {
  if (certificate == nullptr) return {};
  return {subject_of(*certificate), first(subject_alt_names(*certificate, Type::kDns)),
          first(subject_alt_names(*certificate, Type::kUri))};
}

std::string digest_of(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  X509_digest(&certificate, EVP_sha256(), digest.data(), &size);
  return hexadecimal({reinterpret_cast<const char*>(digest.data()), size});
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

net::TlsInfo describe(const SSL& ssl, bool verified) {
  net::TlsInfo out;
  out.version = text_or_empty(SSL_get_version(&ssl));
  out.cipher = text_or_empty(SSL_CIPHER_get_name(SSL_get_current_cipher(&ssl)));
  out.server_name = text_or_empty(SSL_get_servername(&ssl, TLSEXT_NAMETYPE_host_name));
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(&ssl, &alpn, &alpn_size);
  out.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  const X509* local = SSL_get_certificate(&ssl);
  const X509* peer = SSL_get0_peer_certificate(&ssl);
  out.local = describe_certificate(local);
  out.peer = describe_certificate(peer);
  if (peer != nullptr) out.peer_digest = digest_of(*peer);
  out.mutual = verified && local != nullptr && peer != nullptr;
  return out;
}

}  // namespace inlay::tls
