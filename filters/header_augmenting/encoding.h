// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two encodings of a token request.

#include <string_view>

#include "filters/header_augmenting/text_builder.h"

namespace inlay::header_augmenting {

// add_form_encoded: as application/x-www-form-urlencoded has it (RFC 6749 appendix B): letters, digits and "*-._" as
// they are, a space as "+", any other byte as %XX.
void add_form_encoded(TextBuilder& out, std::string_view text);

// add_base64: RFC 4648 section 4, with padding.
void add_base64(TextBuilder& out, std::string_view bytes);

}  // namespace inlay::header_augmenting
