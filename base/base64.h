// SPDX-License-Identifier: Apache-2.0
#pragma once

// Base64 with padding (RFC 4648, section 4). Pure functions.

#include <string>
#include <string_view>

namespace inlay {

// Appends `bytes` as text: four characters for each three bytes begun.
void append_base64(std::string& text, std::string_view bytes);

// Appends what `text` stands for: groups of four characters, of which each may end in padding, so that texts which were
// written one by one can stand behind each other. False: it is none (a length that is no multiple of four, another
// character, padding that is too much, or bits behind the last byte); what has been appended then says nothing.
bool append_from_base64(std::string& bytes, std::string_view text);

}  // namespace inlay
