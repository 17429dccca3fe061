// SPDX-License-Identifier: Apache-2.0
#pragma once

// Public keys of OpenSSL from their numbers. nullptr: they make no key. Nothing is left in OpenSSL's error queue.

#include <string>
#include <string_view>

#include "jwt/key_set.h"

namespace inlay::jwt {

// Big-endian numbers. None with more than 16384 bits or fewer than 512, or with another exponent than 3 or 65537.
KeyPtr make_rsa_key(std::string_view modulus, std::string_view exponent);
// `curve` as in a JWK; a point that is on it.
KeyPtr make_ec_key(std::string_view curve, std::string_view x, std::string_view y);
// 32 bytes.
KeyPtr make_ed25519_key(std::string_view bytes);
// The RSA key of a certificate in PEM. kX509Bad: no certificate; kX509NoRsaKey.
Status make_certificate_key(std::string_view pem, KeyPtr& out);

// The bytes of a coordinate of a curve of a JWK; 0: there is no such curve.
size_t coordinate_size(std::string_view curve);

}  // namespace inlay::jwt
