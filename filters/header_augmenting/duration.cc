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

uint64_t read_seconds_ms(std::string_view text) {
  constexpr uint64_t kMostDigits = 1'000'000'000'000'000;
  constexpr int64_t kMostExponent = 1000;
  uint64_t digits = 0;   // the value is digits * 10^exponent seconds
  int64_t exponent = 3;  // of milliseconds
  bool point = false;
  size_t at = 0;
  const auto is_digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  if (!is_digit()) return 0;
  for (; is_digit() || (!point && at < text.size() && text[at] == '.'); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    const bool kept = digits < kMostDigits;
    if (kept) digits = digits * 10 + static_cast<uint64_t>(text[at] - '0');
    if (kept == point) exponent += point ? -1 : 1;
  }
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    const bool negative = at < text.size() && text[at] == '-';
    if (at < text.size() && (negative || text[at] == '+')) ++at;
    if (!is_digit()) return 0;
    int64_t given = 0;
    for (; is_digit(); ++at) given = given < kMostExponent ? given * 10 + (text[at] - '0') : given;
    exponent += negative ? -given : given;
  }
  if (at != text.size() || digits == 0) return 0;
  for (; exponent > 0 && digits < kMaxDurationMs; --exponent) digits *= 10;
  for (; exponent < 0 && digits != 0; ++exponent) digits /= 10;
  if (digits == 0) return 1;  // little, but not nothing
  return digits < kMaxDurationMs ? digits : kMaxDurationMs;
}

}  // namespace inlay::header_augmenting
