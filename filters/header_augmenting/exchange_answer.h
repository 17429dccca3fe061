// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a token endpoint's answer to an exchange means for the request that it was made for.

#include <cstdint>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/failed_fetch.h"
#include "filters/header_augmenting/per_request.h"
#include "sdk/http_call.h"

namespace inlay::header_augmenting {

// outcome_of_failure: what an answer that `failed` was made of says: RFC 6749 section 5.2, RFC 8693 section 2.2.2 and
// RFC 7523 section 3.1, as providers follow them. Whatever says that the filter's own client is not accepted is no word
// on the request, and never kRefused.
Outcome outcome_of_failure(const sdk::HttpReply& reply, const FailedFetch& failed, size_t max_body);

// is_for_all: whether a failure would come whatever the request brings, so that others need not try.
bool is_for_all(const sdk::HttpReply& reply, const FailedFetch& failed, Outcome outcome);

// check_token: whether a good answer is what was asked for: `token_type` is Bearer, or N_A for what is no access token
// (RFC 8693 section 2.2.1), or is not there; `issued_token_type` is the one asked for, or is not there. Otherwise what
// it is instead, static storage.
const char* check_token(std::string_view body, const SourceConfig& sent);

}  // namespace inlay::header_augmenting
