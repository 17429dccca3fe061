// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/call.h"

#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/jwt_svid.h"
#include "filters/header_augmenting/oauth2.h"
#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {

bool is_made_anew(const SourceConfig& source) {
  return (has(kReferences) && !source.refers_to.empty()) || (has(kExchange) && source.per_request) ||
         (has(kAssertions) && (source.oauth2.auth_method == OAuth2::Authentication::kPrivateKey ||
                               source.oauth2.grant_type == OAuth2::Grant::kRefreshToken));
}

bool prepare_call(SourceConfig& source, Arena& arena) {
  using Format = SourceConfig::Format;
  const bool oauth2 = source.format == Format::kOAuth2;
  if (oauth2) {
    source.method = "POST";
    source.body = token_request_body(source.oauth2, arena);
  }
  const bool svid = has(kSvid) && source.format == Format::kJwtSvid;
  if (svid) {
    source.method = "POST";
    source.path = kFetchJwtSvid;
    source.body = svid_request(source.jwt_svid, arena);
  }
  Pairs call = arena.array<abi::Pair>(8 + source.request_headers.size());
  size_t size = 0;
  call[size++] = {":method", source.method.empty() ? "GET" : source.method};
  call[size++] = {":path", source.path.empty() ? "/headers" : source.path};
  call[size++] = {":authority", source.authority.empty() ? source.cluster : source.authority};
  for (const abi::Pair& header : source.request_headers) {
    if (!is_safe_value(header.value)) return false;
    call[size++] = header;
  }
  const auto add = [&](std::string_view name, std::string_view value) {
    for (const abi::Pair& header : source.request_headers) {
      if (is_same(header.key, name)) return;
    }
    call[size++] = {name, value};
  };
  if (oauth2 && source.oauth2.auth_method == OAuth2::Authentication::kBasic)
    add("authorization", basic_authorization(source.oauth2, arena));
  if (oauth2) add("content-type", "application/x-www-form-urlencoded");
  if (svid) {
    add("content-type", "application/grpc");
    add("te", "trailers");
    add("workload.spiffe.io", "true");
  }
  add("accept", has(kText) && source.is_text() ? "*/*" : "application/json");
  add("accept-encoding", "identity");  // nothing is decoded here
  source.call = call.first(size);
  return true;
}

}  // namespace inlay::header_augmenting
