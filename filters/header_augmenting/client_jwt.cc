// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/client_jwt.h"

#include <cstdint>
#include <cstring>

#include "filters/header_augmenting/encoding.h"
#include "filters/header_augmenting/text_builder.h"
#include "sdk/clock.h"
#include "sdk/foreign.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

constexpr uint64_t kSkewSeconds = 5;

// add_member: `,"name":"value"`.
void add_member(TextBuilder& json, const char* name, std::string_view value) {
  json.add(json.view().ends_with('{') ? "\"" : ",\"").add(name).add("\":\"");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ') {
      json.add("\\u00").add("0123456789abcdef"[byte >> 4]).add("0123456789abcdef"[byte & 15]);
      continue;
    }
    if (c == '"' || c == '\\') json.add('\\');
    json.add(c);
  }
  json.add('"');
}

void add_member(TextBuilder& json, const char* name, uint64_t number) {
  sdk::Line line;
  json.add(",\"").add(name).add("\":").add(line.add(number).view());
}

// add_number_of_its_own: the `jti`: no other token of this VM has it, nor one of another that was made at another
// moment, or on a machine that has run for another time.
void add_number_of_its_own(TextBuilder& json) {
  static uint32_t count = 0;
  sdk::Line line;
  line.add(sdk::now_ns()).add('-').add(sdk::steady_ns()).add('-').add(++count);
  add_member(json, "jti", line.view());
}

}  // namespace

bool take_signature(std::string_view der, char (&out)[64]) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(der[at]); };
  if (der.size() < 2 || byte(0) != 0x30 || byte(1) != der.size() - 2) return false;
  std::memset(out, 0, sizeof out);
  size_t at = 2;
  for (size_t half = 32; half <= 64; half += 32) {
    if (der.size() - at < 2 || byte(at) != 2) return false;
    const size_t size = byte(at + 1);
    at += 2;
    if (size == 0 || size > der.size() - at) return false;
    std::string_view number = der.substr(at, size);
    at += size;
    while (number.starts_with('\0')) number.remove_prefix(1);
    if (number.size() > 32) return false;
    number.copy(out + half - number.size(), number.size());
  }
  return at == der.size();
}

Result<std::string_view, abi::Status> make_client_jwt(const OAuth2& oauth2, Arena& arena) {
  const OAuth2::Signing& signing = oauth2.signing;
  TextBuilder header;
  header.add('{');
  add_member(header, "typ", "JWT");
  add_member(header, "alg", signing.alg);
  if (!signing.kid.empty()) add_member(header, "kid", signing.kid);
  TextBuilder claims;
  claims.add('{');
  add_member(claims, "iss", oauth2.client_id);
  add_member(claims, "sub", oauth2.client_id);
  add_member(claims, "aud", signing.audience);
  add_number_of_its_own(claims);
  const uint64_t now = sdk::now_ms() / 1000;
  add_member(claims, "iat", now - kSkewSeconds);
  add_member(claims, "exp", now + (signing.lifetime_ms + 999) / 1000);
  TextBuilder jwt;
  add_base64url(jwt, header.add('}').view());
  jwt.add('.');
  add_base64url(jwt, claims.add('}').view());
  const auto signature = sdk::sign("sha256", {.der = {}, .pem = signing.key}, jwt.view());
  if (!signature) return signature.error();
  jwt.add('.');
  if (signing.alg != "ES256") {
    add_base64url(jwt, signature->view());
    return arena.copy(jwt.view());
  }
  char raw[64];
  if (!take_signature(signature->view(), raw)) return abi::Status::kBadArgument;
  add_base64url(jwt, {raw, sizeof raw});
  return arena.copy(jwt.view());
}

}  // namespace inlay::header_augmenting
