// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace inlay {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kBytes = 3;  // of a group
constexpr size_t kCharacters = 4;
constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNone);
  for (size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  return values;
}();

}  // namespace

void append_base64(std::string& text, std::string_view bytes) {
  for (size_t at = 0; at < bytes.size(); at += kBytes) {
    const size_t count = std::min(bytes.size() - at, kBytes);
    uint32_t group = 0;
    for (size_t i = 0; i < kBytes; ++i) group = group << 8 | (i < count ? static_cast<uint8_t>(bytes[at + i]) : 0u);
    for (size_t i = 0; i < kCharacters; ++i) text += i <= count ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
  }
}

bool append_from_base64(std::string& bytes, std::string_view text) {
  if (text.size() % kCharacters != 0) return false;
  for (size_t at = 0; at < text.size(); at += kCharacters) {
    std::string_view group = text.substr(at, kCharacters);
    for (int i = 0; i < 2 && group.back() == '='; ++i) group.remove_suffix(1);
    uint32_t bits = 0;
    for (const char c : group) {
      const uint8_t value = kValues[static_cast<uint8_t>(c)];
      if (value == kNone) return false;
      bits = bits << 6 | value;
    }
    const size_t padding = kCharacters - group.size();
    bits <<= 6 * padding;
    if ((bits & ((1u << (8 * padding)) - 1)) != 0) return false;
    const char group_bytes[kBytes] = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8),
                                      static_cast<char>(bits)};
    bytes.append(group_bytes, kBytes - padding);
  }
  return true;
}

}  // namespace inlay
