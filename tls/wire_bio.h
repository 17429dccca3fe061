// SPDX-License-Identifier: Apache-2.0
#pragma once

// The BIO between OpenSSL and a TlsConnection's buffers: it reads and writes blocks in place of a socket, so that
// encrypted bytes are copied once on their way, by the cipher. Inside of tls/.

#include "tls/openssl.h"

namespace inlay::tls {

class TlsConnection;

// Owned by whoever it is given to (SSL_set_bio); `connection` outlives it.
BIO* new_wire_bio(TlsConnection& connection);

}  // namespace inlay::tls
