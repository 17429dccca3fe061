// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a request brings to be exchanged: the tokens of its subject and of its actor.

#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/config.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

// Brought: views of what was read of the request in hand.
struct Brought {
  std::string_view subject;
  std::string_view actor;  // empty if the configuration reads none of the request
  sdk::Bytes subject_value;
  sdk::Bytes actor_value;
};

// reads_actor: whether the actor is of the request, too.
bool reads_actor(const OAuth2& oauth2);

// read_brought: of the request in hand; one host call for each. False if one is missing: no such header, another scheme
// (which is compared without regard to case), or nothing behind it.
bool read_brought(const OAuth2& oauth2, Brought& brought);

// is_token_text: whether `text` has visible ASCII characters only, as any token has, and no comma, which stands between
// the values of a field that came more than once.
bool is_token_text(std::string_view text);

// subject_end_ms: when the tokens that are JWTs with an end are over, by sdk::steady_ms(); UINT64_MAX if none has one,
// 0 if one is over already. They are not verified.
uint64_t subject_end_ms(const Brought& brought, uint64_t now_ms);

}  // namespace inlay::header_augmenting
