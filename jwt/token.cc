// SPDX-License-Identifier: Apache-2.0
#include "jwt/token.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/base64.h"
#include "jwt/base64url.h"
#include "jwt/json.h"

namespace inlay::jwt {
namespace {

using rapidjson::Value;

constexpr std::string_view kAlgorithms[] = {"ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "RS256",
                                            "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"};

// The first double that no uint64_t is.
constexpr double kTooLarge = 18446744073709551616.0;

// False if there is a member of that name that is no string.
bool read_text(const Value& object, std::string_view name, std::string& out) {
  const Value* found = member(object, name);
  if (found == nullptr) return true;
  if (!found->IsString()) return false;
  out = text_of(*found);
  return true;
}

// A fraction is cut off, as in Envoy.
Status read_time(const Value& object, std::string_view name, uint64_t& out, Status no_integer, Status out_of_range) {
  const Value* found = member(object, name);
  if (found == nullptr) return Status::kOk;
  if (!found->IsNumber()) return no_integer;
  const double number = found->GetDouble();
  if (number < 0 || number >= kTooLarge) return out_of_range;
  out = static_cast<uint64_t>(number);
  return Status::kOk;
}

Status read_audiences(const Value& payload, std::vector<std::string>& out) {
  const Value* found = member(payload, "aud");
  if (found == nullptr) return Status::kOk;
  if (found->IsString()) {
    out.emplace_back(text_of(*found));
    return Status::kOk;
  }
  if (!found->IsArray()) return Status::kAudNoString;
  for (const Value& one : found->GetArray()) {
    if (!one.IsString()) return Status::kAudNoString;
    out.emplace_back(text_of(one));
  }
  return Status::kOk;
}

Status read_header(std::string_view text, Token& out) {
  const auto bytes = from_base64url(text);
  if (!bytes) return Status::kHeaderBadBase64;
  if (!read_object(*bytes, out.header)) return Status::kHeaderBadJson;
  const Value* alg = member(out.header, "alg");
  if (alg == nullptr || !alg->IsString()) return Status::kHeaderBadAlg;
  out.alg = text_of(*alg);
  if (std::find(std::begin(kAlgorithms), std::end(kAlgorithms), out.alg) == std::end(kAlgorithms))
    return Status::kHeaderUnknownAlg;
  return read_text(out.header, "kid", out.kid) ? Status::kOk : Status::kHeaderBadKid;
}

Status read_payload(std::string_view text, Token& out) {
  const auto bytes = from_base64url(text);
  if (!bytes) return Status::kPayloadBadBase64;
  if (!read_object(*bytes, out.payload)) return Status::kPayloadBadJson;
  if (!read_text(out.payload, "iss", out.iss)) return Status::kIssNoString;
  if (!read_text(out.payload, "sub", out.sub)) return Status::kSubNoString;
  uint64_t iat = 0;
  const struct {
    std::string_view name;
    uint64_t* to;
    Status no_integer, out_of_range;
  } times[] = {{"iat", &iat, Status::kIatNoInteger, Status::kIatOutOfRange},
               {"nbf", &out.nbf, Status::kNbfNoInteger, Status::kNbfOutOfRange},
               {"exp", &out.exp, Status::kExpNoInteger, Status::kExpOutOfRange}};
  for (const auto& time : times) {
    const Status status = read_time(out.payload, time.name, *time.to, time.no_integer, time.out_of_range);
    if (status != Status::kOk) return status;
  }
  std::string jti;
  if (!read_text(out.payload, "jti", jti)) return Status::kJtiNoString;
  return read_audiences(out.payload, out.aud);
}

}  // namespace

Status Token::read(std::string_view text, Token& out) {
  const size_t first = text.find('.');
  const size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos || first == 0 ||
      second == first + 1 || second + 1 == text.size())
    return Status::kBadFormat;
  if (const Status status = read_header(text.substr(0, first), out); status != Status::kOk) return status;
  if (const Status status = read_payload(text.substr(first + 1, second - first - 1), out); status != Status::kOk)
    return status;
  auto signature = from_base64url(text.substr(second + 1));
  if (!signature) return Status::kSignatureBadBase64;
  out.signature = *std::move(signature);
  out.signed_text = text.substr(0, second);
  return Status::kOk;
}

Status Token::check_time(uint64_t now, uint64_t skew) const {
  if (nbf > now && nbf - now > skew) return Status::kNotYetValid;
  if (exp != 0 && now > exp && now - exp > skew) return Status::kExpired;
  return Status::kOk;
}

std::string_view Token::payload_base64url() const {
  return std::string_view(signed_text).substr(signed_text.find('.') + 1);
}

const Value* Token::claim(std::span<const std::string> path) const {
  const Value* at = &payload;
  for (const std::string& name : path) {
    at = at->IsObject() ? member(*at, name) : nullptr;
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::optional<std::string> as_header_value(const Value& claim) {
  std::string out;
  if (claim.IsString()) {
    out = text_of(claim);
  } else if (claim.IsBool()) {
    out = claim.GetBool() ? "true" : "false";
  } else if (claim.IsNumber()) {
    const double number = claim.GetDouble();
    const bool whole = number >= 0 && number < kTooLarge && std::trunc(number) == number;
    out = whole ? std::to_string(static_cast<uint64_t>(number)) : std::to_string(number);
  } else if (!claim.IsNull()) {
    append_base64(out, to_text(claim));
  }
  return out.empty() ? std::nullopt : std::optional<std::string>(std::move(out));
}

}  // namespace inlay::jwt
