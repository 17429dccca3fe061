// SPDX-License-Identifier: Apache-2.0
#pragma once

// Token: a JSON Web Token in the compact form (RFC 7519, RFC 7515), read but not verified: verifier.h does that.
//
//     Token token;
//     if (const Status status = Token::read(text, token); status != Status::kOk) return status;
//     if (const Status status = token.check_time(now, 60); status != Status::kOk) return status;
//     return verify(token, keys);

#include <rapidjson/document.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jwt/status.h"

namespace inlay::jwt {

struct Token {
  std::string signed_text;  // header.payload, as they came
  std::string signature;
  rapidjson::Document header;
  rapidjson::Document payload;
  std::string alg;
  std::string kid;  // empty: none
  std::string iss;
  std::string sub;
  std::vector<std::string> aud;
  uint64_t nbf = 0;  // seconds since 1970
  uint64_t exp = 0;  // the same; 0: none, as in Envoy

  // Into an empty token. What is wrong with the text, of which `out` then may have a part.
  static Status read(std::string_view text, Token& out);

  // nbf and exp, which may be wrong by `skew` seconds.
  Status check_time(uint64_t now, uint64_t skew) const;
  // The payload as it came.
  std::string_view payload_base64url() const;
  // The claim that a path of members leads to; nullptr if there is none.
  const rapidjson::Value* claim(std::span<const std::string> path) const;
};

// A claim as the value of a header, as Envoy writes it: an integer without a fraction, other numbers with six digits,
// objects and lists as JSON in Base64. nullopt: it has none (null, an empty string).
std::optional<std::string> as_header_value(const rapidjson::Value& claim);

}  // namespace inlay::jwt
