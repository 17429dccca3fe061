// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/refresh_token.h"

#include "filters/header_augmenting/digest.h"
#include "sdk/shared_data.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

std::string_view key_of(uint64_t number, sdk::Line& line) {
  return line.add("inlay.header_augmenting.r.1.").add(number).view();
}

}  // namespace

uint64_t follow_refresh_token(SourceConfig& call, Arena& arena) {
  OAuth2& oauth2 = call.oauth2;
  if (oauth2.grant_type != OAuth2::Grant::kRefreshToken) return 0;
  Digest digest;
  for (const std::string_view text : {call.cluster, call.authority, call.path, oauth2.client_id, oauth2.refresh_token})
    digest.add(text);
  sdk::Line line;
  if (const auto newest = sdk::get_shared_data(key_of(digest.value(), line)))
    oauth2.refresh_token = arena.copy(newest->value.view());
  return digest.value();
}

void keep_refresh_token(uint64_t number, std::string_view token) {
  sdk::Line line;
  if (!token.empty()) (void)sdk::set_shared_data(key_of(number, line), token);
}

}  // namespace inlay::header_augmenting
