// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names out of a module are whatever its author, or an attacker, put there.

#include <string>
#include <string_view>

namespace inlay::inspect {

// `text` as valid UTF-8: each byte that is none becomes U+FFFD.
std::string valid_utf8(std::string_view text);

// The same, fit for a terminal: control characters are written as \xNN.
std::string printable(std::string_view text);

// 38048 is "38,048".
std::string grouped(unsigned long long number);

}  // namespace inlay::inspect
