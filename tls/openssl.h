// SPDX-License-Identifier: Apache-2.0
#pragma once

// Owners of OpenSSL's objects, and its error queue as text. Inside of tls/.

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/deleter.h"
#include "base/result.h"
#include "config/pem_reader.h"

namespace inlay::tls {

using SslPtr = std::unique_ptr<SSL, Deleter<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Deleter<SSL_SESSION_free>>;
using config::BioPtr;
using config::CertificatePtr;
using config::KeyPtr;

inline void free_chain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}
using ChainPtr = std::unique_ptr<STACK_OF(X509), Deleter<free_chain>>;

// The first reason in this thread's error queue ("wrong version number"), which is emptied; "" when there is none.
std::string take_openssl_error();
// Empties the queue, as SSL_get_error() wants it before each call. For the way of each record: it costs next to nothing
// while the queue is empty, and ERR_clear_error() always goes through all of it.
inline void clear_openssl_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}
// kInvalidArgument: OpenSSL does not take what the field says.
Error refused(const std::string& field);

}  // namespace inlay::tls
