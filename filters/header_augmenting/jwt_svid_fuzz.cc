// SPDX-License-Identifier: Apache-2.0
// Any bytes as the answer of a Workload API: a JWT-SVID is a part of them, or there is none. And any bytes as what is
// asked for: the frame is as long as it says.
#include "filters/header_augmenting/jwt_svid.h"

#include <cstdint>
#include <cstdlib>
#include <functional>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::header_augmenting;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const std::string_view svid = read_svid(bytes); !svid.empty()) {
    const std::less_equal<> no_later;
    require(no_later(bytes.data(), svid.data()) && no_later(svid.data() + svid.size(), bytes.data() + bytes.size()));
  }
  Arena arena;
  std::string_view audience = bytes;
  const std::string_view request = svid_request({{&audience, 1}, bytes.substr(size / 2)}, arena);
  uint64_t length = 0;
  for (const char c : request.substr(1, 4)) length = length << 8 | static_cast<unsigned char>(c);
  require(request[0] == 0 && length == request.size() - 5);
  require(read_svid(request).size() <= bytes.size());  // the audience, where that is a message with a field of its own
  return 0;
}
