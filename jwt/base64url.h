// SPDX-License-Identifier: Apache-2.0
#pragma once

// Base64url as RFC 7515 has it (RFC 4648, section 5). Pure functions.

#include <optional>
#include <string>
#include <string_view>

namespace inlay::jwt {

// What `text` stands for; nullopt if it is none: another character, a single one behind the last group, or bits behind
// the last byte. It may end in the padding that RFC 7515 leaves out, but not in part of it.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace inlay::jwt
