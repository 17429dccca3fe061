// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/duration.h"

namespace inlay::header_augmenting {
namespace {

// take_unit: the unit at the front of `text`, taken off, in milliseconds; 0 if there is none.
uint64_t take_unit(std::string_view& text) {
  if (text.empty()) return 0;
  const bool is_ms = text.size() >= 2 && text[0] == 'm' && text[1] == 's';
  const char unit = text[0];
  text.remove_prefix(is_ms ? 2 : 1);
  if (is_ms) return 1;
  switch (unit) {
    case 's':
      return 1000;
    case 'm':
      return 60 * 1000;
    case 'h':
      return 3600 * 1000;
    case 'd':
      return 24 * 3600 * 1000;
    default:
      return 0;
  }
}

}  // namespace

std::optional<uint64_t> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  while (!text.empty()) {
    uint64_t number = 0;
    size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      number = number * 10 + static_cast<uint64_t>(text[digits] - '0');
      if (number > kMaxDurationMs) return std::nullopt;
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    const uint64_t unit = take_unit(text);
    if (unit == 0 || number > kMaxDurationMs / unit) return std::nullopt;
    total += number * unit;
    if (total > kMaxDurationMs) return std::nullopt;
  }
  return total;
}

}  // namespace inlay::header_augmenting
