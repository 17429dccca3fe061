// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts that a module, a guest or a peer made are whatever their author, or an attacker, put there. These make them fit
// to be shown. All are pure.

#include <string>
#include <string_view>

namespace inlay {

bool is_utf8(std::string_view text);

// `text` as valid UTF-8: each byte that is none becomes U+FFFD.
std::string valid_utf8(std::string_view text);

// The same, fit for a terminal: control characters are written as \xNN.
std::string printable(std::string_view text);

// `text` fit for one line of a log or a page: valid UTF-8, in which nothing begins a new line, moves the cursor or
// turns the direction of writing. Such characters are written as \n, \r, \t, \xNN or \uNNNN, a byte that is no UTF-8 as
// \xNN. Nothing else is escaped, so the form is for reading, not for parsing.
std::string one_line(std::string_view text);
// The same without a copy where nothing is to be escaped, which is nearly always: `text` itself, or what `storage` then
// holds.
std::string_view one_line(std::string_view text, std::string& storage);

}  // namespace inlay
