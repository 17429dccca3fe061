// SPDX-License-Identifier: Apache-2.0
#include "config/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "config/pem_reader.h"

namespace inlay::config {
namespace {

// Reads objects until there is none left; true when there was one, and the text ends after the last.
template <class Read>
bool reads_all(const std::string& pem, Read read) {
  ERR_clear_error();
  PemReader reader(pem);
  size_t found = 0;
  while (read(reader)) ++found;
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return found > 0 && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

}  // namespace

std::string check_pem_certificates(const std::string& pem) {
  const bool good = reads_all(pem, [](PemReader& reader) { return reader.certificate() != nullptr; });
  return good ? "" : "holds no PEM certificate, or a damaged one; expected -----BEGIN CERTIFICATE-----";
}

std::string check_pem_revocation_lists(const std::string& pem) {
  const bool good = reads_all(pem, [](PemReader& reader) { return reader.revocation_list() != nullptr; });
  return good ? "" : "holds no PEM revocation list, or a damaged one; expected -----BEGIN X509 CRL-----";
}

std::string check_pem_key(const std::string& pem, const std::string& password) {
  ERR_clear_error();
  const bool good = read_private_key(pem, password) != nullptr;
  ERR_clear_error();
  if (good) return "";
  if (pem.find("ENCRYPTED") != std::string::npos) {
    return password.empty() ? "is an encrypted private key; give its `password`"
                            : "is an encrypted private key that `password` does not open";
  }
  return "holds no PEM private key; expected -----BEGIN PRIVATE KEY-----";
}

std::string check_key_pair(const std::string& chain, const std::string& key, const std::string& password) {
  const CertificatePtr leaf = PemReader(chain).certificate();
  const KeyPtr private_key = read_private_key(key, password);
  const bool match = leaf && private_key && X509_check_private_key(leaf.get(), private_key.get()) == 1;
  ERR_clear_error();
  return match ? "" : "is not the key of the first certificate in `certificate_chain`";
}

}  // namespace inlay::config
