// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a JSON Web Token (RFC 7519) says of its end. Nothing is verified: the token is one that the filter was given to
// pass on, and its end says when to ask for the next.

#include <cstdint>
#include <optional>
#include <string_view>

namespace inlay::header_augmenting {

// read_jwt_end_ms: the `exp` of `text`, in milliseconds since 1970, if it is a JWT in compact form (three parts of
// base64url, the second a JSON object) that has one above 0; at most a hundred years.
std::optional<uint64_t> read_jwt_end_ms(std::string_view text);

}  // namespace inlay::header_augmenting
