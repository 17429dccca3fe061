// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace inlay::proxy::config {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using RevocationListPtr = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

BioPtr open(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without it OpenSSL would ask on the terminal.
int give_password(char* out, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  return static_cast<int>(text.copy(out, static_cast<size_t>(size)));
}

KeyPtr read_key(const std::string& pem, const std::string& password) {
  const BioPtr bio = open(pem);
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, const_cast<std::string*>(&password)));
}

// Reads objects until there is none left; true when there was one, and the text ends after the last.
template <class Read>
bool reads_all(const std::string& pem, Read read) {
  ERR_clear_error();
  const BioPtr bio = open(pem);
  size_t found = 0;
  while (read(bio.get())) ++found;
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return found > 0 && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

}  // namespace

std::string check_pem_certificates(const std::string& pem) {
  const bool good = reads_all(
      pem, [](BIO* bio) { return CertificatePtr(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) != nullptr; });
  return good ? "" : "holds no PEM certificate, or a damaged one; expected -----BEGIN CERTIFICATE-----";
}

std::string check_pem_revocation_lists(const std::string& pem) {
  const bool good = reads_all(pem, [](BIO* bio) {
    return RevocationListPtr(PEM_read_bio_X509_CRL(bio, nullptr, nullptr, nullptr)) != nullptr;
  });
  return good ? "" : "holds no PEM revocation list, or a damaged one; expected -----BEGIN X509 CRL-----";
}

std::string check_pem_key(const std::string& pem, const std::string& password) {
  ERR_clear_error();
  const bool good = read_key(pem, password) != nullptr;
  ERR_clear_error();
  if (good) return "";
  if (pem.find("ENCRYPTED") != std::string::npos) {
    return password.empty() ? "is an encrypted private key; give its `password`"
                            : "is an encrypted private key that `password` does not open";
  }
  return "holds no PEM private key; expected -----BEGIN PRIVATE KEY-----";
}

std::string check_key_pair(const std::string& chain, const std::string& key, const std::string& password) {
  const BioPtr bio = open(chain);
  const CertificatePtr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  const KeyPtr private_key = read_key(key, password);
  const bool match = leaf && private_key && X509_check_private_key(leaf.get(), private_key.get()) == 1;
  ERR_clear_error();
  return match ? "" : "is not the key of the first certificate in `certificate_chain`";
}

}  // namespace inlay::proxy::config
