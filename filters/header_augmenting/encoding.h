// SPDX-License-Identifier: Apache-2.0
#pragma once

// The encodings of a token request, and that of a JWT.

#include <string_view>

#include "filters/header_augmenting/text_builder.h"

namespace inlay::header_augmenting {

// add_form_encoded: as application/x-www-form-urlencoded has it (RFC 6749 appendix B): letters, digits and "*-._" as
// they are, a space as "+", any other byte as %XX.
void add_form_encoded(TextBuilder& out, std::string_view text);

// add_base64: RFC 4648 section 4, with padding.
void add_base64(TextBuilder& out, std::string_view bytes);

// add_base64url: RFC 4648 section 5, without padding.
void add_base64url(TextBuilder& out, std::string_view bytes);

// add_from_base64url: what `text` stands for, RFC 4648 section 5 without padding, as RFC 7515 section 2 has it. False,
// with a part of it added, if it is something else.
bool add_from_base64url(TextBuilder& out, std::string_view text);

}  // namespace inlay::header_augmenting
