// SPDX-License-Identifier: Apache-2.0
// Any bytes as a client's first: never read beyond their end, and what is decided stays so, however much follows.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tls/client_hello.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using inlay::tls::FirstBytes;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const FirstBytes whole = inlay::tls::read_first_bytes(bytes);
  const FirstBytes half = inlay::tls::read_first_bytes(bytes.substr(0, size / 2));
  if (half.kind == FirstBytes::Kind::kIncomplete) return 0;
  if (half.kind != whole.kind || half.server_name != whole.server_name) std::abort();
  return 0;
}
