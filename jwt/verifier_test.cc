// SPDX-License-Identifier: Apache-2.0
#include "jwt/verifier.h"

#include <gtest/gtest.h>

#include <fstream>

namespace inlay::jwt {
namespace {

// RFC 7515, appendix A: its payload, and keys.
const std::string kPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const std::string kA1Key =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
const std::string kA1 =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kPayload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string kA2Key =
    R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt)"
    R"(0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo)"
    R"(7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g)"
    R"(b54h4FRWyuXpoQ"})";
const std::string kA2 =
    "eyJhbGciOiJSUzI1NiJ9." + kPayload +
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1"
    "dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"
    "xi12jzDwu"
    "sC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_"
    "IoypGlUPQGe77Rw";
const std::string kA3Key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
const std::string kA3 = "eyJhbGciOiJFUzI1NiJ9." + kPayload +
                        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

Status verify_texts(std::string_view token_text, const std::string& set) {
  Token token;
  KeySet keys;
  if (const Status status = Token::read(token_text, token); status != Status::kOk) return status;
  if (const Status status = KeySet::read(set, keys); status != Status::kOk) return status;
  return verify(token, keys);
}

std::string set_of(const std::string& key) {
  return "{\"keys\":[" + key + "]}";
}

TEST(Verifier, Rfc7515) {
  EXPECT_EQ(verify_texts(kA1, set_of(kA1Key)), Status::kOk);
  EXPECT_EQ(verify_texts(kA2, set_of(kA2Key)), Status::kOk);
  EXPECT_EQ(verify_texts(kA3, set_of(kA3Key)), Status::kOk);
}

TEST(Verifier, TriesEachKeyOfItsKind) {
  const std::string all = set_of(kA3Key + "," + kA2Key + "," + kA1Key);
  for (const std::string& token : {kA1, kA2, kA3}) EXPECT_EQ(verify_texts(token, all), Status::kOk);
  for (const std::string& key : {kA1Key, kA2Key})
    EXPECT_EQ(verify_texts(kA3, set_of(key)), Status::kVerificationFails) << "another kind of key";
}

struct Signed {
  std::string alg;
  std::string keys;
  std::string token;
};

std::vector<Signed> signed_tokens() {
  std::ifstream file(INLAY_SOURCE_DIR "/jwt/testdata/signed.txt");
  std::vector<Signed> out;
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with('#')) continue;
    const size_t first = line.find(' ');
    const size_t second = line.rfind(' ');
    Signed one{line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)};
    for (const char* word : {"BEGIN_CERTIFICATE", "END_CERTIFICATE"})
      if (const size_t at = one.keys.find(word); at != std::string::npos) one.keys[one.keys.find('_', at)] = ' ';
    out.push_back(std::move(one));
  }
  return out;
}

TEST(Verifier, EachAlgorithm) {
  const auto all = signed_tokens();
  ASSERT_EQ(all.size(), 14u);
  for (const Signed& one : all) EXPECT_EQ(verify_texts(one.token, one.keys), Status::kOk) << one.alg;
}

// Whatever is changed in a token, its signature is wrong, or it is no token.
TEST(Verifier, NoOtherTokenPasses) {
  for (const Signed& one : signed_tokens()) {
    for (size_t at = 0; at < one.token.size(); at += 7) {
      std::string changed = one.token;
      changed[at] = changed[at] == 'A' ? 'B' : 'A';
      EXPECT_NE(verify_texts(changed, one.keys), Status::kOk) << one.alg << " at " << at;
    }
    const std::string cut = one.token.substr(0, one.token.size() - 4);
    EXPECT_NE(verify_texts(cut, one.keys), Status::kOk) << one.alg;
  }
}

// A token that says another algorithm than the one it is signed with: none of them may do.
TEST(Verifier, NoOtherAlgorithmPasses) {
  const auto all = signed_tokens();
  for (const Signed& one : all) {
    for (const Signed& other : all) {
      if (one.alg == other.alg) continue;
      const std::string header = other.token.substr(0, other.token.find('.'));
      EXPECT_NE(verify_texts(header + one.token.substr(one.token.find('.')), one.keys), Status::kOk)
          << one.alg << " as " << other.alg;
    }
  }
}

TEST(Verifier, TheKidAndTheAlgChooseTheKey) {
  const auto with = [](std::string members) {
    std::string key = kA1Key;
    return set_of(key.insert(1, members));
  };
  EXPECT_EQ(verify_texts(kA1, with(R"("kid":"x",)")), Status::kOk) << "the token has none";
  EXPECT_EQ(verify_texts(kA1, with(R"("alg":"HS256",)")), Status::kOk);
  EXPECT_EQ(verify_texts(kA1, with(R"("alg":"HS384",)")), Status::kKeysNoneMatches);
  const std::string header = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ";  // {"alg":"HS256","kid":"a"}
  const std::string token = header + kA1.substr(kA1.find('.'));
  EXPECT_EQ(verify_texts(token, with(R"("kid":"b",)")), Status::kKeysNoneMatches);
  EXPECT_EQ(verify_texts(token, with(R"("kid":"a",)")), Status::kVerificationFails);
  EXPECT_EQ(verify_texts(token, set_of(kA1Key)), Status::kVerificationFails);
}

TEST(Verifier, AnEd25519SignatureHasItsLength) {
  for (const Signed& one : signed_tokens()) {
    if (one.alg != "EdDSA") continue;
    const std::string cut = one.token.substr(0, one.token.rfind('.') + 1) + "AAAA";
    EXPECT_EQ(verify_texts(cut, one.keys), Status::kEd25519WrongLength);
  }
}

// A signature of ECDSA has both numbers in full, not in ASN.1 and not shorter.
TEST(Verifier, AnEcdsaSignatureHasItsLength) {
  const std::string unsigned_part = kA3.substr(0, kA3.rfind('.') + 1);
  for (const char* signature : {"AAAA", "MEUCIQDYK6IJ", ""})
    EXPECT_NE(verify_texts(unsigned_part + signature, set_of(kA3Key)), Status::kOk);
  EXPECT_EQ(verify_texts(unsigned_part + std::string(86, 'A'), set_of(kA3Key)), Status::kVerificationFails)
      << "r and s of 0";
}

}  // namespace
}  // namespace inlay::jwt
