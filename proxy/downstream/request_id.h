// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace inlay::proxy::downstream {

// RandomIds: unpredictable enough to be unique, fast enough for every request (xoshiro256**, seeded by the system). Not
// for secrets. One a worker.
class RandomIds {
 public:
  RandomIds();
  uint64_t next();
  // A version 4 UUID in lower case (RFC 9562); valid to the next call.
  std::string_view uuid();

 private:
  std::array<uint64_t, 4> state_;
  std::array<char, 36> text_;
};

}  // namespace inlay::proxy::downstream
