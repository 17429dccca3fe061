// SPDX-License-Identifier: Apache-2.0
#include "document/scalars.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace inlay::document {

std::optional<bool> parse_bool(std::string_view text) {
  struct Word {
    std::string_view lower, upper, capital;
    bool value;
  };
  static constexpr Word kWords[] = {{"true", "TRUE", "True", true}, {"false", "FALSE", "False", false},
                                    {"yes", "YES", "Yes", true},    {"no", "NO", "No", false},
                                    {"on", "ON", "On", true},       {"off", "OFF", "Off", false},
                                    {"y", "Y", "Y", true},          {"n", "N", "N", false}};
  for (const Word& word : kWords)
    if (text == word.lower || text == word.upper || text == word.capital) return word.value;
  return std::nullopt;
}

std::optional<uint64_t> parse_uint(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_int(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (negative && text.starts_with('+')) return std::nullopt;
  auto value = parse_uint(text);
  if (!value) return std::nullopt;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (*value > kMax + (negative ? 1 : 0)) return std::nullopt;
  return negative ? static_cast<int64_t>(~*value + 1) : static_cast<int64_t>(*value);
}

std::optional<double> parse_double(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.')) return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int64_t seconds = 0;
  int64_t nanos = 0;
  size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    seconds = seconds * 10 + (text[i] - '0');
    if (seconds > 9'000'000'000) return std::nullopt;  // fits in 64-bit nanoseconds
  }
  if (i == 0) return std::nullopt;
  if (i < text.size()) {
    const std::string_view fraction = text.substr(i + 1);
    if (text[i] != '.' || fraction.empty() || fraction.size() > 9) return std::nullopt;
    int64_t unit = 100'000'000;
    for (char c : fraction) {
      if (c < '0' || c > '9') return std::nullopt;
      nanos += (c - '0') * unit;
      unit /= 10;
    }
  }
  const std::chrono::nanoseconds value(seconds * 1'000'000'000 + nanos);
  return negative ? -value : value;
}

std::optional<std::string> parse_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    uint32_t v = 0;
    if (c >= 'A' && c <= 'Z') {
      v = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      v = static_cast<uint32_t>(c - 'a' + 26);
    } else if (c >= '0' && c <= '9') {
      v = static_cast<uint32_t>(c - '0' + 52);
    } else if (c == '+' || c == '-') {
      v = 62;
    } else if (c == '/' || c == '_') {
      v = 63;
    } else {
      return std::nullopt;
    }
    bits = (bits << 6 | v) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
    }
  }
  return out;
}

size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const unsigned char second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

namespace {

// The code unit of a \uXXXX at the start of `text`, or nothing.
std::optional<uint32_t> unicode_escape(std::string_view text) {
  uint32_t unit = 0;
  if (!text.starts_with("\\u") || text.size() < 6) return std::nullopt;
  auto [end, error] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  if (error != std::errc{} || end != text.data() + 6) return std::nullopt;
  return unit;
}

}  // namespace

std::string join_surrogates(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    if (json[i] != '\\') {
      out += json[i++];
      continue;
    }
    const auto high = unicode_escape(json.substr(i));
    const auto low = high && *high >= 0xd800 && *high < 0xdc00 ? unicode_escape(json.substr(i + 6)) : std::nullopt;
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      std::array<char, 16> escape{};
      std::snprintf(escape.data(), escape.size(), "\\U%08X", 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00));
      out += escape.data();
      i += 12;
      continue;
    }
    out += json.substr(i, 2);
    i += 2;
  }
  return out;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          std::array<char, 8> escape{};
          std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
          out += escape.data();
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string quote(std::string_view text) {
  constexpr size_t kLongest = 80;
  const bool cut = text.size() > kLongest;
  size_t end = cut ? kLongest : text.size();
  while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  std::string body = json_string(text.substr(0, end));
  body = body.substr(1, body.size() - 2);
  return "`" + body + (cut ? "..." : "") + "`";
}

}  // namespace inlay::document
