// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads OpenSSL's objects out of PEM texts, for the checks of the configuration and for TLS itself. No function asks
// for a password on the terminal; each may leave something in the thread's error queue of OpenSSL.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/deleter.h"

namespace inlay::config {

using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using RevocationListPtr = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// PemReader gives the objects of a text one after the other, and nullptr after the last, or at one that is damaged.
class PemReader {
 public:
  // `pem` outlives the reader.
  explicit PemReader(const std::string& pem);

  CertificatePtr certificate();
  RevocationListPtr revocation_list();

 private:
  BioPtr bio_;
};

// The private key in the text, which `password` opens where it is encrypted; nullptr when there is none.
KeyPtr read_private_key(const std::string& pem, const std::string& password);

}  // namespace inlay::config
