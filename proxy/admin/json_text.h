// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts for the admin interface's JSON. Whatever is in them, the page stays valid JSON in UTF-8: as in Envoy, of a text
// that is no UTF-8 each byte is the character of that number.

#include <string>
#include <string_view>

#include "base/printable.h"

namespace inlay::proxy::admin {

template <class Json>
void write_text(Json& json, std::string_view text) {
  std::string characters;
  if (!is_utf8(text)) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x80) characters += static_cast<char>(0xc0 | byte >> 6);
      characters += static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
    }
    text = characters;
  }
  json.String(text.data(), static_cast<unsigned>(text.size()));
}

template <class Json>
void write_text(Json& json, const char* key, std::string_view text) {
  json.Key(key);
  write_text(json, text);
}

}  // namespace inlay::proxy::admin
