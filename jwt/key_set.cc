// SPDX-License-Identifier: Apache-2.0
#include "jwt/key_set.h"

#include <algorithm>
#include <optional>

#include "jwt/base64url.h"
#include "jwt/json.h"
#include "jwt/openssl_keys.h"

namespace inlay::jwt {
namespace {

using rapidjson::Value;

constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----\n";
constexpr std::string_view kCertificateEnd = "\n-----END CERTIFICATE-----\n";
constexpr size_t kEd25519Size = 32;

// A member that has to be there and to be a string.
Status read_text(const Value& jwk, std::string_view name, Status missing, Status bad, std::string& out) {
  const Value* found = member(jwk, name);
  if (found == nullptr) return missing;
  if (!found->IsString()) return bad;
  out = text_of(*found);
  return Status::kOk;
}

void read_optional(const Value& jwk, std::string_view name, std::string& out) {
  const Value* found = member(jwk, name);
  if (found != nullptr && found->IsString()) out = text_of(*found);
}

Status read_rsa(const Value& jwk, Key& key) {
  if (!key.alg.empty() && !key.alg.starts_with("RS") && !key.alg.starts_with("PS")) return Status::kRsaBadAlg;
  std::string n;
  std::string e;
  if (const Status s = read_text(jwk, "n", Status::kRsaMissingN, Status::kRsaBadN, n); s != Status::kOk) return s;
  if (const Status s = read_text(jwk, "e", Status::kRsaMissingE, Status::kRsaBadE, e); s != Status::kOk) return s;
  const auto modulus = from_base64url(n);
  const auto exponent = from_base64url(e);
  if (modulus && exponent) key.key = make_rsa_key(*modulus, *exponent);
  return key.key ? Status::kOk : Status::kRsaBad;
}

// Which curve it is, of `crv` or else of `alg`.
Status choose_curve(Key& key) {
  struct Pair {
    std::string_view alg, crv;
  };
  static constexpr Pair kPairs[] = {{"ES256", "P-256"}, {"ES384", "P-384"}, {"ES512", "P-521"}};
  if (key.alg.empty() && key.crv.empty()) key.crv = "P-256";
  const auto* found = std::find_if(std::begin(kPairs), std::end(kPairs),
                                   [&](const Pair& p) { return p.alg == key.alg || p.crv == key.crv; });
  const bool both = !key.alg.empty() && !key.crv.empty();
  if (both && (found == std::end(kPairs) || found->alg != key.alg || found->crv != key.crv))
    return Status::kEcAlgOfOtherCurve;
  if (found == std::end(kPairs)) return Status::kEcUnknownCurve;
  key.crv = found->crv;
  return Status::kOk;
}

Status read_ec(const Value& jwk, Key& key) {
  key.kind = Key::Kind::kEc;
  if (!key.alg.empty() && !key.alg.starts_with("ES")) return Status::kEcBadAlg;
  const Status crv = read_text(jwk, "crv", Status::kOk, Status::kEcBadCrv, key.crv);
  if (crv != Status::kOk) return crv;
  if (const Status s = choose_curve(key); s != Status::kOk) return s;
  std::string x;
  std::string y;
  if (const Status s = read_text(jwk, "x", Status::kEcMissingX, Status::kEcBadX, x); s != Status::kOk) return s;
  if (const Status s = read_text(jwk, "y", Status::kEcMissingY, Status::kEcBadY, y); s != Status::kOk) return s;
  const auto x_bytes = from_base64url(x);
  const auto y_bytes = from_base64url(y);
  if (!x_bytes || !y_bytes) return Status::kEcBadBase64;
  key.key = make_ec_key(key.crv, *x_bytes, *y_bytes);
  return key.key ? Status::kOk : Status::kEcBad;
}

Status read_oct(const Value& jwk, Key& key) {
  key.kind = Key::Kind::kOct;
  if (!key.alg.empty() && key.alg != "HS256" && key.alg != "HS384" && key.alg != "HS512") return Status::kOctBadAlg;
  std::string k;
  if (const Status s = read_text(jwk, "k", Status::kOctMissingK, Status::kOctBadK, k); s != Status::kOk) return s;
  key.secret = from_base64url(k).value_or("");
  return key.secret.empty() ? Status::kOctBadBase64 : Status::kOk;
}

Status read_okp(const Value& jwk, Key& key) {
  key.kind = Key::Kind::kEd25519;
  if (!key.alg.empty() && key.alg != "EdDSA") return Status::kOkpBadAlg;
  const Status crv = read_text(jwk, "crv", Status::kOkpMissingCrv, Status::kOkpBadCrv, key.crv);
  if (crv != Status::kOk) return crv;
  if (key.crv != "Ed25519") return Status::kOkpUnknownCurve;
  std::string x;
  if (const Status s = read_text(jwk, "x", Status::kOkpMissingX, Status::kOkpBadX, x); s != Status::kOk) return s;
  const auto raw = from_base64url(x);
  if (!raw) return Status::kOkpBadBase64;
  if (raw->size() != kEd25519Size) return Status::kOkpWrongLength;
  key.key = make_ed25519_key(*raw);
  return key.key ? Status::kOk : Status::kOkpWrongLength;
}

Status read_key(const Value& jwk, Key& key) {
  std::string kty;
  if (const Status s = read_text(jwk, "kty", Status::kKtyMissing, Status::kKtyNoString, kty); s != Status::kOk)
    return s;
  read_optional(jwk, "kid", key.kid);
  read_optional(jwk, "alg", key.alg);
  if (kty == "RSA") return read_rsa(jwk, key);
  if (kty == "EC") return read_ec(jwk, key);
  if (kty == "oct") return read_oct(jwk, key);
  if (kty == "OKP") return read_okp(jwk, key);
  return Status::kKtyUnknown;
}

bool is_of_certificates(const Value& set) {
  if (set.ObjectEmpty()) return false;
  const auto members = set.GetObject();
  return std::all_of(members.begin(), members.end(), [](const auto& entry) {
    return entry.name.GetStringLength() > 0 && entry.value.IsString() &&
           text_of(entry.value).starts_with(kCertificateBegin) && text_of(entry.value).ends_with(kCertificateEnd);
  });
}

Status read_certificates(const Value& set, std::vector<Key>& out) {
  if (set.MemberCount() > kMostKeys) return Status::kKeysNoneValid;
  for (const auto& entry : set.GetObject()) {
    Key& key = out.emplace_back();
    key.kid = text_of(entry.name);
    if (const Status s = make_certificate_key(text_of(entry.value), key.key); s != Status::kOk) return s;
  }
  return Status::kOk;
}

}  // namespace

Status KeySet::read(std::string_view text, KeySet& out) {
  rapidjson::Document set;
  if (text.size() > kLargestKeySet || !read_object(text, set)) return Status::kKeysBadJson;
  const Value* keys = member(set, "keys");
  if (keys == nullptr) return is_of_certificates(set) ? read_certificates(set, out.keys_) : Status::kKeysMissing;
  if (!keys->IsArray()) return Status::kKeysNoArray;
  if (keys->Size() > kMostKeys) return Status::kKeysNoneValid;
  Status first = Status::kKeysNoneValid;
  bool told = false;
  for (const Value& jwk : keys->GetArray()) {
    if (!jwk.IsObject()) continue;
    Key key;
    const Status status = read_key(jwk, key);
    if (status == Status::kOk) {
      out.keys_.push_back(std::move(key));
    } else if (!told) {
      first = status;
      told = true;
    }
  }
  return out.keys_.empty() ? first : Status::kOk;
}

}  // namespace inlay::jwt
