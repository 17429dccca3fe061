// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256, in hexadecimal digits: the name that a module has in caches, reports and images.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace inlay::engine {

std::string sha256(std::span<const uint8_t> bytes);
std::string sha256(std::string_view text);

// Sha256 is the hash of what it is given in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(const void* bytes, size_t size);
  void add(std::string_view bytes) { add(bytes.data(), bytes.size()); }
  // Once, after all.
  std::string hexadecimal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace inlay::engine
