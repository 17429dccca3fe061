// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/retry_after.h"

#include "sdk/clock.h"

namespace inlay::header_augmenting {
namespace {

constexpr uint64_t kMost = 1'000'000'000;  // seconds: what is above is as good as this

// number: the digits that `text` is made of; nullopt if there is anything else, or nothing.
std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (value < kMost) value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return text.empty() ? std::nullopt : std::optional(value);
}

}  // namespace

std::optional<uint64_t> parse_http_date(std::string_view text) {
  static constexpr std::string_view kForm = "Sun, 06 Nov 1994 08:49:37 GMT";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != kForm.size()) return std::nullopt;
  for (const size_t at : {3, 4, 7, 11, 16, 19, 22, 25, 26, 27, 28}) {
    if (text[at] != kForm[at]) return std::nullopt;
  }
  size_t month = 0;
  while (month < 12 && kMonths.substr(month * 3, 3) != text.substr(8, 3)) ++month;
  const auto day = number(text.substr(5, 2));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (month == 12 || !day || !year || *year < 1970 || !hour || !minute || !second) return std::nullopt;
  // Years that begin in March have their odd day at the end.
  const uint64_t march_year = month < 2 ? *year - 1 : *year;
  const uint64_t since_march = (month + 10) % 12;
  const uint64_t days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
                        (since_march * 153 + 2) / 5 + *day - 719'469;
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

uint64_t read_retry_after_ms(std::string_view retry_after, std::string_view date) {
  if (const auto seconds = number(retry_after)) return *seconds * 1000;
  const auto at = parse_http_date(retry_after);
  if (!at) return 0;
  const uint64_t now = parse_http_date(date).value_or(sdk::now_ms() / 1000);
  return *at > now ? (*at - now) * 1000 : 0;
}

}  // namespace inlay::header_augmenting
