// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a finished handshake says about both sides. Inside of tls/.

#include "net/connection.h"
#include "tls/openssl.h"

namespace inlay::tls {

// `verified`: the peer's certificate, if it has shown one, was checked.
net::TlsInfo describe(const SSL& ssl, bool verified);

}  // namespace inlay::tls
