// SPDX-License-Identifier: Apache-2.0
// A text that may be a JWT, as it stands, and as the claims of one: whatever it is, its end is read or there is none.
#include "filters/header_augmenting/jwt.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/encoding.h"

namespace inlay::header_augmenting {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(std::string_view text) {
  const auto end = read_jwt_end_ms(text);
  require(!end || (*end >= 1 && *end <= kMaxDurationMs));
}

// round_trip: what is encoded comes back, and a text that is taken is the encoding of what it gives.
void round_trip(std::string_view text) {
  TextBuilder encoded;
  add_base64(encoded, text);
  std::string url(encoded.view());
  for (char& c : url) c = c == '+' ? '-' : c == '/' ? '_' : c;
  url.resize(url.find('=') == std::string::npos ? url.size() : url.find('='));
  TextBuilder decoded;
  require(add_from_base64url(decoded, url) && decoded.view() == text);
  check("e30." + url + ".c2ln");

  TextBuilder bytes;
  if (!add_from_base64url(bytes, text)) return;
  TextBuilder again;
  add_base64(again, bytes.view());
  require(again.view().size() >= text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = again.view()[i];
    require(text[i] == (c == '+' ? '-' : c == '/' ? '_' : c));
  }
}

}  // namespace
}  // namespace inlay::header_augmenting

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  inlay::header_augmenting::check(text);
  inlay::header_augmenting::round_trip(text);
  return 0;
}
