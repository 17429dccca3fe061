// SPDX-License-Identifier: Apache-2.0
#pragma once

// Templates of header values: text in which {/json/pointer} (RFC 6901) stands for a value of an answer, or {text} for
// the whole of one that is no JSON.

#include <string_view>

#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/text_builder.h"

namespace inlay::header_augmenting {

// is_template: whether each "{/" has its "}".
bool is_template(std::string_view text);

// find: what `pointer` ("/data/0/token") names in `json`; nullptr if there is no such value.
const Json::Node* find(const Json& json, std::string_view pointer);

// render_text: adds `text` to `out`, with `value` in the place of each "{text}".
void render_text(std::string_view text, std::string_view value, TextBuilder& out);

// render: adds `text`, which is_template, to `out`. False if a pointer names nothing, or no string or number, or an
// empty string.
bool render(std::string_view text, const Json& json, TextBuilder& out);

}  // namespace inlay::header_augmenting
