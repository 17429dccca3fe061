// SPDX-License-Identifier: Apache-2.0
#pragma once

// The token request of OAuth 2.0 (RFC 6749 sections 2.3.1, 4.3.2 and 4.4.2).

#include <string_view>

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {

// token_request_body: the form to be posted. The client's name and secret stand in it with client_secret_post, the name
// alone with none. What it returns belongs to `arena`.
std::string_view token_request_body(const OAuth2& oauth2, Arena& arena);

// basic_authorization: the value of `authorization` with client_secret_basic: name and secret form-encoded, joined by a
// colon, in base64. Belongs to `arena`.
std::string_view basic_authorization(const OAuth2& oauth2, Arena& arena);

}  // namespace inlay::header_augmenting
