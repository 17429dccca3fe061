// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/exchange_subject.h"

#include <algorithm>
#include <initializer_list>

#include "filters/header_augmenting/jwt.h"
#include "sdk/clock.h"
#include "sdk/context.h"

namespace inlay::header_augmenting {
namespace {

// read_party: false if the request brings no such token.
bool read_party(const Party& party, sdk::Bytes& value, std::string_view& token) {
  auto got = sdk::HttpContext::request_headers().get(party.header);
  if (!got) return false;
  value = *std::move(got);
  std::string_view text = value.view();
  const std::string_view scheme = party.scheme;
  if (!scheme.empty()) {
    if (text.size() <= scheme.size() || text[scheme.size()] != ' ') return false;
    for (size_t i = 0; i < scheme.size(); ++i) {
      if ((text[i] | 0x20) != (scheme[i] | 0x20)) return false;
    }
    text.remove_prefix(scheme.size());
  }
  while (text.starts_with(' ')) text.remove_prefix(1);
  token = text;
  return !text.empty();
}

}  // namespace

bool reads_actor(const OAuth2& oauth2) {
  return oauth2.actor.header.data() != nullptr;
}

bool read_brought(const OAuth2& oauth2, Brought& brought) {
  return read_party(oauth2.subject, brought.subject_value, brought.subject) &&
         (!reads_actor(oauth2) || read_party(oauth2.actor, brought.actor_value, brought.actor));
}

bool is_token_text(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == ',') return false;
  }
  return true;
}

uint64_t subject_end_ms(const Brought& brought, uint64_t now_ms) {
  uint64_t end_ms = UINT64_MAX;
  for (const std::string_view token : {brought.subject, brought.actor}) {
    const auto end = read_jwt_end_ms(token);
    if (!end) continue;
    const uint64_t wall_ms = sdk::now_ms();
    if (*end <= wall_ms) return 0;
    end_ms = std::min(end_ms, now_ms + (*end - wall_ms));
  }
  return end_ms;
}

}  // namespace inlay::header_augmenting
