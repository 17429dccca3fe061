// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/duration.h"

namespace inlay::header_augmenting {
namespace {

constexpr int kEnd = -1;

// take: the first character of `text`, taken off; kEnd if there is none.
int take(std::string_view& text) {
  if (text.empty()) return kEnd;
  const char c = text[0];
  text.remove_prefix(1);
  return static_cast<unsigned char>(c);
}

bool is_digit(int c) {
  return c >= '0' && c <= '9';
}

// unit_ms: 0 if `c` is no unit.
uint32_t unit_ms(int c) {
  switch (c) {
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

std::optional<uint64_t> whole_number(std::string_view text, uint64_t max) {
  constexpr uint64_t kMost = UINT64_MAX / 10 - 1;
  if (text.empty()) return std::nullopt;
  uint64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    number = number < kMost ? number * 10 + static_cast<uint64_t>(c - '0') : kMost;
  }
  return number <= max ? std::optional(number) : std::nullopt;
}

std::optional<uint64_t> parse_duration(std::string_view text) {
  uint64_t total = 0;
  do {
    int c = take(text);
    if (!is_digit(c)) return std::nullopt;
    uint64_t number = 0;
    for (; is_digit(c); c = take(text)) {
      number = number * 10 + static_cast<uint64_t>(c - '0');
      if (number > kMaxDurationMs) return std::nullopt;
    }
    uint64_t unit = unit_ms(c);
    if (c == 'm' && text.starts_with('s')) {
      take(text);
      unit = 1;
    }
    if (unit == 0 || number > kMaxDurationMs / unit) return std::nullopt;
    total += number * unit;
    if (total > kMaxDurationMs) return std::nullopt;
  } while (!text.empty());
  return total;
}

uint64_t read_seconds_ms(std::string_view text) {
  constexpr uint64_t kMostDigits = 1'000'000'000'000'000;
  constexpr int kMostExponent = 1000;
  uint64_t digits = 0;  // the value is digits * 10^exponent seconds
  int exponent = 3;     // of milliseconds
  bool point = false;
  int c = take(text);
  if (!is_digit(c)) return 0;
  for (; is_digit(c) || (!point && c == '.'); c = take(text)) {
    if (c == '.') {
      point = true;
      continue;
    }
    const bool kept = digits < kMostDigits;
    if (kept) digits = digits * 10 + static_cast<uint64_t>(c - '0');
    if (kept == point) exponent += point ? -1 : 1;
  }
  if (c == 'e' || c == 'E') {
    c = take(text);
    const bool negative = c == '-';
    if (negative || c == '+') c = take(text);
    if (!is_digit(c)) return 0;
    int given = 0;
    for (; is_digit(c); c = take(text)) given = given < kMostExponent ? given * 10 + (c - '0') : given;
    exponent += negative ? -given : given;
  }
  if (c != kEnd || digits == 0) return 0;
  for (; exponent > 0 && digits < kMaxDurationMs; --exponent) digits *= 10;
  for (; exponent < 0 && digits != 0; ++exponent) digits /= 10;
  if (digits == 0) return 1;  // little, but not nothing
  return digits < kMaxDurationMs ? digits : kMaxDurationMs;
}

}  // namespace inlay::header_augmenting
