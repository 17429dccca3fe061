// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/retry_after.h"

#include <algorithm>

#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/features.h"
#include "sdk/clock.h"

namespace inlay::header_augmenting {
namespace {

constexpr uint64_t kMost = 1'000'000'000;  // seconds: what is above is as good as this

}  // namespace

std::optional<uint64_t> parse_http_date(std::string_view text) {
  // The digits stand for those of one number each; what "?" stands for is not looked at here.
  static constexpr std::string_view kForm = "???, 00 ??? 1111 22:33:44 GMT";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != kForm.size()) return std::nullopt;
  uint32_t numbers[5] = {};
  for (size_t i = 0; i < text.size(); ++i) {
    const auto which = static_cast<unsigned char>(kForm[i] - '0');
    if (which < 5) {
      if (text[i] < '0' || text[i] > '9') return std::nullopt;
      numbers[which] = numbers[which] * 10 + static_cast<uint32_t>(text[i] - '0');
    } else if (kForm[i] != '?' && kForm[i] != text[i]) {
      return std::nullopt;
    }
  }
  const auto& [day, year, hour, minute, second] = numbers;
  uint32_t month = 0;
  while (month < 12 && kMonths.substr(month * 3, 3) != text.substr(8, 3)) ++month;
  if (month == 12 || year < 1970) return std::nullopt;
  // Years that begin in March have their odd day at the end.
  const uint32_t march_year = month < 2 ? year - 1 : year;
  const uint32_t since_march = (month + 10) % 12;
  const uint32_t days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
                        (since_march * 153 + 2) / 5 + day - 719'469;
  return (uint64_t{days} * 24 + hour) * 3600 + minute * 60 + second;
}

uint64_t read_retry_after_ms(std::string_view retry_after, std::string_view date) {
  if (const auto seconds = whole_number(retry_after, UINT64_MAX)) return std::min(*seconds, kMost) * 1000;
  if (!has(kHints)) return 0;
  const auto at = parse_http_date(retry_after);
  if (!at) return 0;
  const uint64_t now = parse_http_date(date).value_or(sdk::now_ms() / 1000);
  return *at > now ? (*at - now) * 1000 : 0;
}

}  // namespace inlay::header_augmenting
