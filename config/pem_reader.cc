// SPDX-License-Identifier: Apache-2.0
#include "config/pem_reader.h"

#include <openssl/pem.h>

namespace inlay::config {
namespace {

// Without it OpenSSL would ask on the terminal.
int give_password(char* out, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  return static_cast<int>(text.copy(out, static_cast<size_t>(size)));
}

}  // namespace

PemReader::PemReader(const std::string& pem) : bio_(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))) {}

CertificatePtr PemReader::certificate() {
  std::string no_password;
  return CertificatePtr(PEM_read_bio_X509(bio_.get(), nullptr, give_password, &no_password));
}

RevocationListPtr PemReader::revocation_list() {
  std::string no_password;
  return RevocationListPtr(PEM_read_bio_X509_CRL(bio_.get(), nullptr, give_password, &no_password));
}

KeyPtr read_private_key(const std::string& pem, const std::string& password) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, const_cast<std::string*>(&password)));
}

}  // namespace inlay::config
