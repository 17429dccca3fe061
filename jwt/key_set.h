// SPDX-License-Identifier: Apache-2.0
#pragma once

// KeySet: a JSON Web Key Set (RFC 7517) with keys of RSA, EC (P-256, P-384, P-521), oct, and OKP (Ed25519, RFC 8037),
// or, as Envoy takes it, an object of certificates in PEM by their key ids. Immutable once it is read; any thread.
//
//     KeySet keys;
//     if (const Status status = KeySet::read(text, keys); status != Status::kOk) return std::string(text(status));

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deleter.h"
#include "jwt/status.h"

namespace inlay::jwt {

constexpr size_t kLargestKeySet = size_t{1} << 20;  // bytes of its text
constexpr size_t kMostKeys = 1000;                  // a token without a kid is held against each

using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

struct Key {
  enum class Kind : uint8_t { kRsa, kEc, kOct, kEd25519 } kind = Kind::kRsa;
  std::string kid;     // empty: of any
  std::string alg;     // empty: any that fits its kind
  std::string crv;     // of kEc: "P-256", "P-384", "P-521"
  KeyPtr key;          // null of kOct
  std::string secret;  // of kOct
};

class KeySet {
 public:
  // A key that is none is left out as long as another one is valid; else the status says what is wrong with the first.
  // The texts say nothing of what is in a key.
  static Status read(std::string_view text, KeySet& out);

  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::vector<Key> keys_;
};

}  // namespace inlay::jwt
