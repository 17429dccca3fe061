// SPDX-License-Identifier: Apache-2.0
// The foreign functions verify_signature and sign, over OpenSSL, with the keys and the texts of Envoy 1.37 to 1.40,
// which knows fewer kinds and curves. A failure inside of them is Ok with an error text in the result; only an argument
// that is no message, or a wrong number of keys, is kBadArgument. Nothing of a key is ever told.

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "base/ascii.h"
#include "base/deleter.h"
#include "base/printable.h"
#include "base/proto_wire.h"
#include "host/foreign.h"
#include "host/vm.h"

namespace inlay::host::foreign {
namespace {

using abi::Status;

using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
struct FreeBytes {
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

struct Arguments {
  std::string_view hash;
  std::string_view der;
  std::string_view pem;
  std::string_view signature;
  std::string_view text;
};

// Which number each field has in a message; 0: it has none.
struct Fields {
  uint32_t der, pem, signature, text;
};
constexpr Fields kVerifyFields = {2, 5, 3, 4};
constexpr Fields kSignFields = {2, 4, 0, 3};

// False if the bytes are malformed, a string of them is no UTF-8, or there is not exactly one key.
bool read(std::string_view bytes, const Fields& fields, Arguments& out) {
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    if (!f.is_bytes()) continue;
    if (f.number == 1) out.hash = f.bytes;
    if (f.number == fields.der) out.der = f.bytes;
    if (f.number == fields.pem) out.pem = f.bytes;
    if (f.number == fields.signature) out.signature = f.bytes;
    if (f.number == fields.text) out.text = f.bytes;
  }
  return reader.ok() && is_utf8(out.hash) && is_utf8(out.pem) && out.der.empty() != out.pem.empty();
}

const EVP_MD* digest_of(std::string_view name) {
  struct Row {
    std::string_view name;
    const EVP_MD* (*digest)();
  };
  static constexpr Row kRows[] = {
      {"sha1", &EVP_sha1},     {"sha224", &EVP_sha224}, {"sha256", &EVP_sha256},
      {"sha384", &EVP_sha384}, {"sha512", &EVP_sha512},
  };
  const auto same = [&](const Row& row) { return equals_ignore_case(name, row.name); };
  const auto* found = std::find_if(std::begin(kRows), std::end(kRows), same);
  return found == std::end(kRows) ? nullptr : found->digest();
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// OpenSSL would ask on the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

// Envoy's library knows these curves and no other.
bool is_known_curve(EVP_PKEY* key) {
  static constexpr std::string_view kCurves[] = {SN_secp224r1, SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
  char name[64] = {};
  return EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) == 1 &&
         std::find(std::begin(kCurves), std::end(kCurves), std::string_view(name)) != std::end(kCurves);
}

bool spells_out_its_curve(EVP_PKEY* key) {
  int spelt_out = 0;
  return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelt_out) == 1 &&
         spelt_out != 0;
}

// RSA or ECDSA, and none that would keep the worker busy for long.
bool is_for_signatures(EVP_PKEY* key) {
  const int type = EVP_PKEY_base_id(key);
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC) return false;
  return EVP_PKEY_bits(key) <= limits::kKeyBits && (type == EVP_PKEY_RSA || is_known_curve(key));
}

// What Envoy's library can read as a private key, but makes no signature of a digest with.
bool is_of_another_use(EVP_PKEY* key) {
  const int type = EVP_PKEY_base_id(key);
  return type == EVP_PKEY_ED25519 || type == EVP_PKEY_X25519 || type == EVP_PKEY_DSA;
}

bool is_too_long(const Arguments& a) {
  return std::max(a.der.size(), a.pem.size()) > limits::kKeyBytes;
}

Key read_public_key(const Arguments& a) {
  if (is_too_long(a)) return nullptr;
  if (!a.der.empty()) {
    const unsigned char* at = bytes(a.der);
    return Key(d2i_PUBKEY(nullptr, &at, static_cast<long>(a.der.size())));
  }
  // Not PEM_read_bio_PUBKEY, which takes PKCS #1, too ("RSA PUBLIC KEY").
  const Bio bio(BIO_new_mem_buf(a.pem.data(), static_cast<int>(a.pem.size())));
  unsigned char* der = nullptr;
  long size = 0;
  if (!bio || PEM_bytes_read_bio(&der, &size, nullptr, PEM_STRING_PUBLIC, bio.get(), &no_pass_phrase, nullptr) != 1)
    return nullptr;
  const std::unique_ptr<unsigned char, FreeBytes> freed(der);
  const unsigned char* at = der;
  return Key(d2i_PUBKEY(nullptr, &at, size));
}

Key public_key(const Arguments& a) {
  Key key = read_public_key(a);
  return key && is_for_signatures(key.get()) && !spells_out_its_curve(key.get()) ? std::move(key) : nullptr;
}

Key private_key(const Arguments& a) {
  if (is_too_long(a)) return nullptr;
  if (!a.der.empty()) {
    const unsigned char* at = bytes(a.der);
    const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(a.der.size())));
    return info ? Key(EVP_PKCS82PKEY(info.get())) : nullptr;
  }
  const Bio bio(BIO_new_mem_buf(a.pem.data(), static_cast<int>(a.pem.size())));
  return bio ? Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_pass_phrase, nullptr)) : nullptr;
}

// Why it does not verify; empty if it does.
std::string verify(const Arguments& a) {
  const EVP_MD* digest = digest_of(a.hash);
  if (digest == nullptr) return std::string(a.hash).append(" is not supported.");
  const Key key = public_key(a);
  const DigestContext context(EVP_MD_CTX_new());
  if (!key || !context || EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.get()) != 1)
    return "Failed to initialize digest verify.";
  const int ok = EVP_DigestVerify(context.get(), bytes(a.signature), a.signature.size(), bytes(a.text), a.text.size());
  // OpenSSL tells a malformed signature (below 0) from a wrong one; Envoy's library does not.
  return ok == 1 ? std::string() : "Failed to verify digest. Error code: 0";
}

std::string make_signature(const Arguments& a, std::string& signature) {
  const EVP_MD* digest = digest_of(a.hash);
  if (digest == nullptr) return std::string(a.hash).append(" is not supported.");
  const Key key = private_key(a);
  if (key && is_of_another_use(key.get())) return "Invalid private key: key data is corrupted or malformed.";
  if (!key || !is_for_signatures(key.get())) return "Invalid key type: private key required for signing operation.";
  const DigestContext context(EVP_MD_CTX_new());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key.get()) != 1)
    return "Failed to initialize digest sign.";
  size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, bytes(a.text), a.text.size()) != 1)
    return "Failed to get signature length.";
  signature.resize(size);
  auto* to = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), to, &size, bytes(a.text), a.text.size()) != 1) return "Failed to create signature.";
  signature.resize(size);
  return {};
}

}  // namespace

Status verify_signature(Vm&, std::string_view argument, std::string& result) {
  Arguments a;
  if (!read(argument, kVerifyFields, a)) return Status::kBadArgument;
  const std::string error = verify(a);
  ERR_clear_error();
  put_bool(result, 1, error.empty());
  put_string(result, 2, error);
  return Status::kOk;
}

Status sign(Vm&, std::string_view argument, std::string& result) {
  Arguments a;
  if (!read(argument, kSignFields, a)) return Status::kBadArgument;
  std::string signature;
  const std::string error = make_signature(a, signature);
  ERR_clear_error();
  put_bool(result, 1, error.empty());
  if (error.empty()) put_string(result, 2, signature);
  put_string(result, 3, error);
  return Status::kOk;
}

}  // namespace inlay::host::foreign
