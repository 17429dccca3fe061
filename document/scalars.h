// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scalars as Envoy's loader reads them: YAML's plain words, proto3 JSON's durations and base64. Pure functions.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inlay::document {

// yaml-cpp's booleans: true/false, yes/no, on/off, y/n in lower, UPPER or Capital letters.
std::optional<bool> parse_bool(std::string_view text);
// Decimal, 0x hexadecimal or 0 octal, with an optional sign; nothing else in the text.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<uint64_t> parse_uint(std::string_view text);
// A finite or infinite decimal number.
std::optional<double> parse_double(std::string_view text);
// proto3 JSON Duration: "15s", "0.25s", "-1s"; at most nine digits after the point.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
// Standard or URL-safe base64, padding optional.
std::optional<std::string> parse_base64(std::string_view text);

// The bytes of the first character, 1 to 4; 0 when it is not UTF-8.
size_t utf8_length(std::string_view text);
// Replaces the JSON escapes \uD83D\uDE00 by YAML's \U0001F600.
std::string join_surrogates(std::string_view json);
// `text` in backquotes for a message, shortened, control characters escaped.
std::string quote(std::string_view text);
// A JSON string literal.
std::string json_string(std::string_view text);

}  // namespace inlay::document
