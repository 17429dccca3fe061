// SPDX-License-Identifier: Apache-2.0
#pragma once

// The token request of OAuth 2.0 (RFC 6749 sections 2.3.1, 4.3.2, 4.4.2 and 6; RFC 7521 section 4.2 for assertions; RFC
// 8693 section 2.1 and RFC 7523 section 2.1 for what a token is exchanged for).

#include <string_view>

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {

// is_assertion_type: whether `text` is a client_assertion_type: jwt-bearer (RFC 7523 section 2.2), jwt-spiffe, which
// stand for their URNs, or a URN. What refers to a source counts as one.
bool is_assertion_type(std::string_view text);

// is_token_type: whether `text` is the short name of a token type (RFC 8693 section 3: access_token, ...; txn_token and
// id-jag of its profiles) or a URI.
bool is_token_type(std::string_view text);

// is_token_type_of: whether `uri` is what `text`, which is_token_type, stands for.
bool is_token_type_of(std::string_view uri, std::string_view text);

// token_request_body: the form to be posted. The client's name and secret stand in it with client_secret_post, the name
// alone with none, the assertion and the name, if there is one, with client_assertion. What it returns belongs to
// `arena`.
std::string_view token_request_body(const OAuth2& oauth2, Arena& arena);

// basic_authorization: the value of `authorization` with client_secret_basic: name and secret form-encoded, joined by a
// colon, in base64. Belongs to `arena`.
std::string_view basic_authorization(const OAuth2& oauth2, Arena& arena);

}  // namespace inlay::header_augmenting
