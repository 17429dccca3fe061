// SPDX-License-Identifier: Apache-2.0
#include "jwt/openssl_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>

namespace inlay::jwt {
namespace {

using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;

constexpr int kFewestBits = 512;
constexpr int kMostBits = 16384;

struct Curve {
  std::string_view name;
  const char* group;
  size_t size;  // bytes of a coordinate
};
constexpr Curve kCurves[] = {
    {"P-256", SN_X9_62_prime256v1, 32}, {"P-384", SN_secp384r1, 48}, {"P-521", SN_secp521r1, 66}};

const Curve* find_curve(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kCurves), std::end(kCurves), [&](const Curve& c) { return c.name == name; });
  return found == std::end(kCurves) ? nullptr : found;
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number(std::string_view big_endian) {
  return Number(BN_bin2bn(bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

KeyPtr make(const char* kind, OSSL_PARAM_BLD& builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(&builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1)
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  ERR_clear_error();
  return KeyPtr(key);
}

int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

bool is_of_a_good_size(const EVP_PKEY& key) {
  return EVP_PKEY_get_bits(&key) >= kFewestBits && EVP_PKEY_get_bits(&key) <= kMostBits;
}

}  // namespace

KeyPtr make_rsa_key(std::string_view modulus, std::string_view exponent) {
  if (modulus.size() > kMostBits / 8 + 1 || exponent.size() > 8) return nullptr;
  const Number n = number(modulus);
  const Number e = number(exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || !BN_is_odd(n.get()) || !(BN_is_word(e.get(), 3) || BN_is_word(e.get(), 65537)) ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  KeyPtr key = make("RSA", *builder);
  return key && is_of_a_good_size(*key) ? std::move(key) : nullptr;
}

KeyPtr make_ec_key(std::string_view curve, std::string_view x, std::string_view y) {
  const Curve* known = find_curve(curve);
  if (known == nullptr || x.size() > known->size || y.size() > known->size) return nullptr;
  std::string point = "\x04";  // uncompressed
  for (const std::string_view coordinate : {x, y}) {
    point.append(known->size - coordinate.size(), '\0');
    point.append(coordinate);
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, known->group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return make("EC", *builder);
}

KeyPtr make_ed25519_key(std::string_view raw) {
  KeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(raw), raw.size()));
  ERR_clear_error();
  return key;
}

Status make_certificate_key(std::string_view pem, KeyPtr& out) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, &no_pass_phrase, nullptr) : nullptr);
  if (certificate) out.reset(X509_get_pubkey(certificate.get()));
  ERR_clear_error();
  if (!certificate) return Status::kX509Bad;
  const bool good = out && EVP_PKEY_get_base_id(out.get()) == EVP_PKEY_RSA && is_of_a_good_size(*out);
  return good ? Status::kOk : Status::kX509NoRsaKey;
}

size_t coordinate_size(std::string_view curve) {
  const Curve* known = find_curve(curve);
  return known == nullptr ? 0 : known->size;
}

}  // namespace inlay::jwt
