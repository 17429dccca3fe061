// SPDX-License-Identifier: Apache-2.0
// Any bytes as a token, and what follows the first line break as a key set: nothing that is read breaks, and what is
// read stays within its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jwt/json.h"
#include "jwt/verifier.h"

using namespace inlay::jwt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const size_t end = input.find('\n');
  Token token;
  KeySet keys;
  const Status token_status = Token::read(input.substr(0, end), token);
  const Status keys_status =
      end == std::string_view::npos ? Status::kKeysBadJson : KeySet::read(input.substr(end + 1), keys);
  if (text(token_status).empty() || text(keys_status).empty()) std::abort();
  if (token_status == Status::kOk) {
    (void)token.check_time(1'700'000'000, 60);
    const Token& read = token;  // clang takes the iterators of what can be changed for ambiguous
    for (const auto& claim : read.payload.GetObject()) {
      const auto header = as_header_value(claim.value);
      if (header && header->empty()) std::abort();
    }
    rapidjson::Document again;
    if (!read_object(to_text(token.payload), again)) std::abort();
  }
  if (keys_status == Status::kOk && (keys.keys().empty() || keys.keys().size() > kMostKeys)) std::abort();
  if (token_status == Status::kOk && keys_status == Status::kOk) (void)verify(token, keys);
  return 0;
}
