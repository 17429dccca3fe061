// SPDX-License-Identifier: Apache-2.0
#pragma once

// The JWT by which a client authenticates itself with a key (private_key_jwt of OpenID Connect, RFC 7523 section 2.2).

#include <string_view>

#include "abi/types.h"
#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

// make_client_jwt: one for this moment and no other call, signed by the host; belongs to `arena`. It is good from five
// seconds ago, since clocks differ, for the lifetime that the configuration says. kNotFound: the host does not sign
// (Envoy before 1.37); any other error: not with this key.
Result<std::string_view, abi::Status> make_client_jwt(const OAuth2& oauth2, Arena& arena);

// take_signature: the 64 bytes of a signature by ES256 (RFC 7518 section 3.4) from its form in DER (RFC 3279 section
// 2.2.3), to `out`. False if it is none of the curve P-256.
bool take_signature(std::string_view der, char (&out)[64]);

}  // namespace inlay::header_augmenting
