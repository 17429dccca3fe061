// SPDX-License-Identifier: Apache-2.0
#include "jwt/verifier.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "jwt/openssl_keys.h"

namespace inlay::jwt {
namespace {

using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Pair = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

constexpr size_t kEd25519Signature = 64;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Of "RS256" and the like; nullptr of "EdDSA", which has its own.
const EVP_MD* digest_of(std::string_view alg) {
  if (alg.ends_with("256")) return EVP_sha256();
  if (alg.ends_with("384")) return EVP_sha384();
  return alg.ends_with("512") ? EVP_sha512() : nullptr;
}

bool fits(std::string_view alg, const Key& key) {
  switch (key.kind) {
    case Key::Kind::kRsa:
      return alg.starts_with("RS") || alg.starts_with("PS");
    case Key::Kind::kEc:
      return alg == (key.crv == "P-256" ? "ES256" : key.crv == "P-384" ? "ES384" : "ES512");
    case Key::Kind::kOct:
      return alg.starts_with("HS");
    case Key::Kind::kEd25519:
      return alg == "EdDSA";
  }
  return false;
}

bool verify_digest(EVP_PKEY* key, std::string_view alg, std::string_view text, std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // the context's
  if (!context || EVP_DigestVerifyInit(context.get(), &options, digest_of(alg), nullptr, key) != 1) return false;
  // RFC 7518, section 3.5: the salt is as long as the digest.
  if (alg.starts_with("PS") && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                                EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
}

// RFC 7518, section 3.4: both numbers behind each other, each as long as a coordinate. OpenSSL wants them in ASN.1.
std::string to_asn1(std::string_view signature, size_t size) {
  if (signature.size() != 2 * size) return {};
  const auto half = [&](size_t from) {
    return Number(BN_bin2bn(bytes(signature.substr(from)), static_cast<int>(size), nullptr));
  };
  Number r = half(0);
  Number s = half(size);
  const Pair pair(ECDSA_SIG_new());
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(length));
  OPENSSL_free(der);
  return out;
}

bool verify_hmac(const std::string& secret, std::string_view alg, std::string_view text, std::string_view signature) {
  unsigned char made[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(digest_of(alg), secret.data(), static_cast<int>(secret.size()), bytes(text), text.size(), made, &size) ==
      nullptr)
    return false;
  return signature.size() == size && CRYPTO_memcmp(made, signature.data(), size) == 0;
}

bool verify_one(const Token& token, const Key& key) {
  if (!fits(token.alg, key)) return false;
  switch (key.kind) {
    case Key::Kind::kOct:
      return verify_hmac(key.secret, token.alg, token.signed_text, token.signature);
    case Key::Kind::kEc: {
      const std::string der = to_asn1(token.signature, coordinate_size(key.crv));
      return !der.empty() && verify_digest(key.key.get(), token.alg, token.signed_text, der);
    }
    default:
      return verify_digest(key.key.get(), token.alg, token.signed_text, token.signature);
  }
}

}  // namespace

Status verify(const Token& token, const KeySet& keys) {
  Status status = Status::kKeysNoneMatches;
  for (const Key& key : keys.keys()) {
    if (!token.kid.empty() && !key.kid.empty() && token.kid != key.kid) continue;
    if (!key.alg.empty() && key.alg != token.alg) continue;
    status = Status::kVerificationFails;
    if (key.kind == Key::Kind::kEd25519 && token.alg == "EdDSA" && token.signature.size() != kEd25519Signature)
      return Status::kEd25519WrongLength;
    const bool good = verify_one(token, key);
    ERR_clear_error();
    if (good) return Status::kOk;
  }
  return status;
}

}  // namespace inlay::jwt
