// SPDX-License-Identifier: Apache-2.0
#pragma once

// Literals that look like secrets. Unlike looks_secret() of config/redact.h, which may hide too much, this must
// not refuse what is none, so it goes by whole words, by headers' names where headers are, and by the text itself.

#include <string_view>

namespace inlay::deploy {

// Whether a text at `key`, in a map that stands at `parent_key`, is a secret's value. Never true for a text with
// `${env:NAME}`, `${source:NAME}`, `{/json/pointer}` or `{text}` in it, nor for an empty one.
bool is_literal_secret(std::string_view parent_key, std::string_view key, std::string_view text);

}  // namespace inlay::deploy
