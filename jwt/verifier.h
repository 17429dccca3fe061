// SPDX-License-Identifier: Apache-2.0
#pragma once

// verify: whether a key of a set has signed a token: RS256 to RS512, PS256 to PS512, ES256 to ES512, HS256 to HS512,
// EdDSA (Ed25519). Pure; any thread; nothing is left in OpenSSL's error queue.

#include "jwt/key_set.h"
#include "jwt/status.h"
#include "jwt/token.h"

namespace inlay::jwt {

// Of the keys those count whose kid and alg are the token's, or that have none. An algorithm only goes with keys of its
// own kind, and ES256 to ES512 with their own curve (RFC 7518). kKeysNoneMatches: no key counts; kVerificationFails;
// kEd25519WrongLength.
Status verify(const Token& token, const KeySet& keys);

}  // namespace inlay::jwt
