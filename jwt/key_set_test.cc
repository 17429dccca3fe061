// SPDX-License-Identifier: Apache-2.0
#include "jwt/key_set.h"

#include <gtest/gtest.h>

namespace inlay::jwt {
namespace {

constexpr std::string_view kX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";  // RFC 7515, A.3
constexpr std::string_view kY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

Status status_of(std::string_view text) {
  KeySet keys;
  return KeySet::read(text, keys);
}

// Of a set with this key alone.
Status status_of_key(const std::string& members) {
  return status_of("{\"keys\":[{" + members + "}]}");
}

std::string ec(const std::string& members) {
  return "\"kty\":\"EC\",\"x\":\"" + std::string(kX) + "\",\"y\":\"" + std::string(kY) + "\"" + members;
}

TEST(KeySet, KnowsWhatIsWrong) {
  EXPECT_EQ(status_of(""), Status::kKeysBadJson);
  EXPECT_EQ(status_of("[]"), Status::kKeysBadJson);
  EXPECT_EQ(status_of("{}"), Status::kKeysMissing);
  EXPECT_EQ(status_of(R"({"a":"b"})"), Status::kKeysMissing);
  EXPECT_EQ(status_of(R"({"keys":{}})"), Status::kKeysNoArray);
  EXPECT_EQ(status_of(R"({"keys":[]})"), Status::kKeysNoneValid);
  EXPECT_EQ(status_of(R"({"keys":[1]})"), Status::kKeysNoneValid);
  EXPECT_EQ(status_of(std::string(kLargestKeySet + 1, ' ')), Status::kKeysBadJson);
}

TEST(KeySet, KnowsWhatIsWrongWithAKey) {
  const struct {
    std::string key;
    Status status;
  } rows[] = {
      {"", Status::kKtyMissing},
      {R"("kty":1)", Status::kKtyNoString},
      {R"("kty":"x")", Status::kKtyUnknown},
      {R"("kty":"RSA","alg":"ES256")", Status::kRsaBadAlg},
      {R"("kty":"RSA")", Status::kRsaMissingN},
      {R"("kty":"RSA","n":1)", Status::kRsaBadN},
      {R"("kty":"RSA","n":"AQAB")", Status::kRsaMissingE},
      {R"("kty":"RSA","n":"AQAB","e":1)", Status::kRsaBadE},
      {R"("kty":"RSA","n":"AQAB","e":"AQAB")", Status::kRsaBad},
      {R"("kty":"RSA","n":"!","e":"AQAB")", Status::kRsaBad},
      {ec(R"(,"alg":"RS256")"), Status::kEcBadAlg},
      {ec(R"(,"crv":1)"), Status::kEcBadCrv},
      {ec(R"(,"crv":"P-192")"), Status::kEcUnknownCurve},
      {ec(R"(,"alg":"ES999")"), Status::kEcUnknownCurve},
      {ec(R"(,"alg":"ES256","crv":"P-384")"), Status::kEcAlgOfOtherCurve},
      {R"("kty":"EC")", Status::kEcMissingX},
      {R"("kty":"EC","x":1)", Status::kEcBadX},
      {R"("kty":"EC","x":"AA")", Status::kEcMissingY},
      {R"("kty":"EC","x":"AA","y":1)", Status::kEcBadY},
      {R"("kty":"EC","x":"!","y":"AA")", Status::kEcBadBase64},
      {R"("kty":"EC","x":"AA","y":"AA")", Status::kEcBad},
      {R"("kty":"oct","alg":"RS256")", Status::kOctBadAlg},
      {R"("kty":"oct")", Status::kOctMissingK},
      {R"("kty":"oct","k":1)", Status::kOctBadK},
      {R"("kty":"oct","k":"")", Status::kOctBadBase64},
      {R"("kty":"oct","k":"!")", Status::kOctBadBase64},
      {R"("kty":"OKP","alg":"ES256")", Status::kOkpBadAlg},
      {R"("kty":"OKP")", Status::kOkpMissingCrv},
      {R"("kty":"OKP","crv":1)", Status::kOkpBadCrv},
      {R"("kty":"OKP","crv":"Ed448")", Status::kOkpUnknownCurve},
      {R"("kty":"OKP","crv":"Ed25519")", Status::kOkpMissingX},
      {R"("kty":"OKP","crv":"Ed25519","x":1)", Status::kOkpBadX},
      {R"("kty":"OKP","crv":"Ed25519","x":"!")", Status::kOkpBadBase64},
      {R"("kty":"OKP","crv":"Ed25519","x":"AA")", Status::kOkpWrongLength},
  };
  for (const auto& row : rows) EXPECT_EQ(status_of_key(row.key), row.status) << row.key << ": " << text(row.status);
}

TEST(KeySet, TheCurveIsOfEitherOfTwoMembers) {
  for (const char* members : {"", R"(,"crv":"P-256")", R"(,"alg":"ES256")", R"(,"alg":"ES256","crv":"P-256")"}) {
    KeySet keys;
    ASSERT_EQ(KeySet::read("{\"keys\":[{" + ec(members) + "}]}", keys), Status::kOk) << members;
    EXPECT_EQ(keys.keys()[0].crv, "P-256");
  }
}

TEST(KeySet, LeavesOutWhatIsNoKeyAmongOthers) {
  KeySet keys;
  ASSERT_EQ(KeySet::read(R"({"keys":[{"kty":"x"},1,{"kty":"oct","k":"AAAA","kid":"a","use":"sig"}]})", keys),
            Status::kOk);
  ASSERT_EQ(keys.keys().size(), 1u);
  EXPECT_EQ(keys.keys()[0].kid, "a");
}

TEST(KeySet, CertificatesByTheirNames) {
  EXPECT_EQ(status_of(R"({"a":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})"), Status::kX509Bad);
  EXPECT_EQ(status_of(R"({"a":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n","b":1})"),
            Status::kKeysMissing);
}

TEST(KeySet, TooManyKeys) {
  std::string text = "{\"keys\":[";
  for (size_t i = 0; i <= kMostKeys; ++i) text += std::string(i == 0 ? "" : ",") + R"({"kty":"oct","k":"AAAA"})";
  EXPECT_EQ(status_of(text + "]}"), Status::kKeysNoneValid);
}

}  // namespace
}  // namespace inlay::jwt
