// SPDX-License-Identifier: Apache-2.0
#pragma once

// Owners of OpenSSL's objects, and its error queue as text. Inside of tls/.

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace inlay::proxy::tls {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using SslPtr = std::unique_ptr<SSL, Deleter<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Deleter<SSL_SESSION_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;

// The first reason in this thread's error queue ("wrong version number"), which is emptied; "" when there is none.
std::string take_openssl_error();

}  // namespace inlay::proxy::tls
