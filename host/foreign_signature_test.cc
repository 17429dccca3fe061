// SPDX-License-Identifier: Apache-2.0
// verify_signature and sign. OpenSSL is the other side; the texts are those of Envoy 1.37 and 1.40, with these kinds of
// keys.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <set>

#include "base/proto_wire.h"
#include "host/foreign_fixture.h"
#include "host/guest_limits.h"

namespace inlay::host {
namespace {

using abi::Status;

class HostSignatures : public ForeignTest {};
INLAY_BOTH_ENGINES(HostSignatures);

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

template <class Write>
std::string pem(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}
std::string public_pem(EVP_PKEY* key) {
  return pem([&](BIO* bio) { PEM_write_bio_PUBKEY(bio, key); });
}
std::string private_pem(EVP_PKEY* key) {
  return pem([&](BIO* bio) { PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}
std::string encrypted_pem(EVP_PKEY* key) {
  return pem(
      [&](BIO* bio) { PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "word", 4, nullptr, nullptr); });
}
std::string public_der(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}
std::string private_der(EVP_PKEY* key) {
  return pem([&](BIO* bio) { i2d_PKCS8PrivateKey_bio(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

// A message's fields as "1=1 3=..."; the protobuf result of both functions.
std::string fields(std::string_view bytes) {
  std::string text;
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    text += (text.empty() ? "" : " ") + std::to_string(f.number) + "=";
    text += f.is_bytes() ? std::string(f.bytes) : std::to_string(f.value);
  }
  return text;
}
std::string bytes_of(std::string_view message, uint32_t number) {
  ProtoReader reader(message);
  for (ProtoField f; reader.next(f);)
    if (f.number == number) return std::string(f.bytes);
  return {};
}

std::string signature_by(EVP_PKEY* key, const EVP_MD* digest, std::string_view text) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t size = 512;
  std::string signature(size, '\0');
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  EXPECT_EQ(EVP_DigestSignInit(context, nullptr, digest, nullptr, key), 1);
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, from, text.size()), 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return signature;
}

std::string to_verify(std::string_view hash, std::string_view der, std::string_view pem_text,
                      std::string_view signature, std::string_view text) {
  std::string out;
  put_string(out, 1, hash);
  put_string(out, 2, der);
  put_string(out, 3, signature);
  put_string(out, 4, text);
  put_string(out, 5, pem_text);
  return out;
}
std::string to_sign(std::string_view hash, std::string_view der, std::string_view pem_text, std::string_view text) {
  std::string out;
  put_string(out, 1, hash);
  put_string(out, 2, der);
  put_string(out, 3, text);
  put_string(out, 4, pem_text);
  return out;
}

constexpr const char* kNoPrivateKey = "3=Invalid key type: private key required for signing operation.";

TEST_P(HostSignatures, SignaturesAreVerified) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Key rsa(EVP_RSA_gen(2048));
  const Key ec(EVP_EC_gen("P-256"));
  for (EVP_PKEY* key : {rsa.get(), ec.get()}) {
    const std::string good = signature_by(key, EVP_sha256(), "text");
    const auto verify = [&](std::string_view hash, std::string_view der, std::string_view pem_text,
                            std::string_view signature, std::string_view text) {
      const Answer a = call(proxy, plugin, "verify_signature", to_verify(hash, der, pem_text, signature, text));
      return a.status == Status::kOk ? fields(a.result) : "status " + std::to_string(static_cast<uint32_t>(a.status));
    };
    EXPECT_EQ(verify("sha256", public_der(key), "", good, "text"), "1=1");
    EXPECT_EQ(verify("SHA256", "", public_pem(key), good, "text"), "1=1");
    EXPECT_EQ(verify("sha256", "", public_pem(key), good, "other"), "2=Failed to verify digest. Error code: 0");
    EXPECT_EQ(verify("sha512", "", public_pem(key), good, "text"), "2=Failed to verify digest. Error code: 0");
    EXPECT_EQ(verify("sha256", "", public_pem(key), "short", "text"), "2=Failed to verify digest. Error code: 0");
    EXPECT_EQ(verify("md5", "", public_pem(key), good, "text"), "2=md5 is not supported.");
    EXPECT_EQ(verify("sha256", "no key", "", good, "text"), "2=Failed to initialize digest verify.");
    EXPECT_EQ(verify("sha256", "", "", good, "text"), "status 2") << "no key";
    EXPECT_EQ(verify("sha256", public_der(key), public_pem(key), good, "text"), "status 2") << "two keys";
  }
  EXPECT_EQ(call(proxy, plugin, "verify_signature", "\x0a").status, Status::kBadArgument);
}

TEST_P(HostSignatures, SignaturesAreMade) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Key rsa(EVP_RSA_gen(2048));
  const Key ec(EVP_EC_gen("P-256"));
  for (EVP_PKEY* key : {rsa.get(), ec.get()}) {
    for (const bool as_der : {false, true}) {
      const Answer a = call(proxy, plugin, "sign",
                            to_sign("sha384", as_der ? private_der(key) : "", as_der ? "" : private_pem(key), "text"));
      ASSERT_EQ(a.status, Status::kOk);
      const std::string signature = bytes_of(a.result, 2);
      EVP_MD_CTX* context = EVP_MD_CTX_new();
      EVP_DigestVerifyInit(context, nullptr, EVP_sha384(), nullptr, key);
      EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                 reinterpret_cast<const unsigned char*>("text"), 4),
                1);
      EVP_MD_CTX_free(context);
    }
  }
  const auto fails = [&](const std::string& argument) {
    const Answer a = call(proxy, plugin, "sign", argument);
    return a.status == Status::kOk ? fields(a.result) : "status " + std::to_string(static_cast<uint32_t>(a.status));
  };
  EXPECT_EQ(fails(to_sign("sha1x", "", private_pem(ec.get()), "t")), "3=sha1x is not supported.");
  EXPECT_EQ(fails(to_sign("sha256", "", encrypted_pem(ec.get()), "t")), kNoPrivateKey)
      << "nobody is asked for a pass phrase";
  EXPECT_EQ(fails(to_sign("sha256", "", public_pem(ec.get()), "t")), kNoPrivateKey);
  EXPECT_EQ(fails(to_sign("sha256", public_der(ec.get()), "", "t")), kNoPrivateKey);
  EXPECT_EQ(fails(to_sign("sha256", "", std::string(limits::kKeyBytes + 1, '-'), "t")), kNoPrivateKey);
  EXPECT_EQ(fails(to_sign("sha256", "", "", "t")), "status 2");
  EXPECT_EQ(fails(to_sign("sha256", private_der(ec.get()), private_pem(ec.get()), "t")), "status 2");
  EXPECT_EQ(fails(to_sign("sha256", "", private_pem(ec.get()) + "\xff", "t")), "status 2") << "a string is UTF-8";
  EXPECT_EQ(fails(to_sign("\xff", "", private_pem(ec.get()), "t")), "status 2");
  EXPECT_EQ(fails(to_sign("sha512", "", private_pem(Key(EVP_RSA_gen(512)).get()), "t")),
            "3=Failed to create signature.")
      << "there is no room for that digest";
}

Key generate(int type, const char* curve = nullptr) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(type, nullptr);
  EVP_PKEY* key = nullptr;
  EXPECT_EQ(EVP_PKEY_keygen_init(context), 1);
  if (curve != nullptr) {
    EXPECT_EQ(EVP_PKEY_CTX_set_group_name(context, curve), 1);
  }
  EXPECT_EQ(EVP_PKEY_keygen(context, &key), 1);
  EVP_PKEY_CTX_free(context);
  return Key(key);
}

// What OpenSSL could do, and Envoy's library cannot. As Envoy 1.37 and 1.40.
TEST_P(HostSignatures, KeysThatAreNotForSignaturesOfADigest) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const auto refused = [&](EVP_PKEY* key) {
    std::set<std::string> said;
    for (const std::string& argument :
         {to_sign("sha256", private_der(key), "", "t"), to_sign("sha256", "", private_pem(key), "t")}) {
      said.insert(fields(call(proxy, plugin, "sign", argument).result));
    }
    EXPECT_EQ(said.size(), 1u) << "in both forms the same";
    for (const std::string& argument :
         {to_verify("sha256", public_der(key), "", "s", "t"), to_verify("sha256", "", public_pem(key), "s", "t")}) {
      EXPECT_EQ(fields(call(proxy, plugin, "verify_signature", argument).result),
                "2=Failed to initialize digest verify.");
    }
    return *said.begin();
  };
  constexpr const char* kOtherUse = "3=Invalid private key: key data is corrupted or malformed.";
  EXPECT_EQ(refused(generate(EVP_PKEY_ED25519).get()), kOtherUse);
  EXPECT_EQ(refused(generate(EVP_PKEY_X25519).get()), kOtherUse);
  EXPECT_EQ(refused(generate(EVP_PKEY_ED448).get()), kNoPrivateKey);
  EXPECT_EQ(refused(generate(EVP_PKEY_EC, "secp256k1").get()), kNoPrivateKey);
  EXPECT_EQ(refused(generate(EVP_PKEY_RSA_PSS).get()), kNoPrivateKey);
  for (const char* curve : {"P-224", "P-256", "P-384", "P-521"}) {
    const Answer a =
        call(proxy, plugin, "sign", to_sign("sha256", private_der(generate(EVP_PKEY_EC, curve).get()), "", "t"));
    EXPECT_EQ(fields(a.result).substr(0, 4), "1=1 ") << curve;
  }
}

// PKCS #1 and SEC 1 are known in PEM, which names them, and not in DER.
TEST_P(HostSignatures, OlderFormsOfAPrivateKey) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  for (const Key& key : {Key(EVP_RSA_gen(2048)), Key(EVP_EC_gen("P-256"))}) {
    const std::string as_pem = pem(
        [&](BIO* bio) { PEM_write_bio_PrivateKey_traditional(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    const std::string as_der = pem([&](BIO* bio) { i2d_PrivateKey_bio(bio, key.get()); });
    EXPECT_EQ(fields(call(proxy, plugin, "sign", to_sign("sha256", "", as_pem, "t")).result).substr(0, 4), "1=1 ");
    EXPECT_EQ(fields(call(proxy, plugin, "sign", to_sign("sha256", as_der, "", "t")).result), kNoPrivateKey);
  }
}

}  // namespace
}  // namespace inlay::host
