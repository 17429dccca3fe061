// SPDX-License-Identifier: Apache-2.0
// OpenSSL's plain SHA-256: EVP would load and set up every algorithm that there is, some 2 MiB of it resident.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "engine/sha256.h"
#include "base/ascii.h"

#include <openssl/sha.h>

#include <array>

namespace inlay::engine {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SHA256_Init(&state_->context);
}

Sha256::~Sha256() = default;

void Sha256::add(const void* bytes, size_t size) {
  SHA256_Update(&state_->context, bytes, size);
}

std::string Sha256::hexadecimal() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &state_->context);
  return inlay::hexadecimal({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string sha256(std::span<const uint8_t> bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hexadecimal();
}

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.hexadecimal();
}

}  // namespace inlay::engine
