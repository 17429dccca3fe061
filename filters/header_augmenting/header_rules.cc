// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/header_rules.h"

#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {
namespace {

constexpr char kForbidden[] =
    "host\0content-length\0transfer-encoding\0connection\0keep-alive\0te\0trailer\0upgrade\0proxy-connection\0";

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

bool is_token_char(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || kTokenMarks.find(c) != std::string_view::npos;
}

}  // namespace

bool is_token(std::string_view name) {
  for (const char c : name) {
    if (!is_token_char(c)) return false;
  }
  return !name.empty();
}

bool is_forbidden(std::string_view name) {
  return is_listed(name, kForbidden);
}

bool is_bare_scheme(std::string_view name, std::string_view value) {
  if (!name.ends_with("authorization")) return false;
  std::string_view scheme = value;
  while (scheme.ends_with(' ') || scheme.ends_with('\t')) scheme.remove_suffix(1);
  if (!is_token(scheme)) return false;
  if (scheme.size() != value.size()) return true;
  char lower[6];
  if (scheme.size() > sizeof lower) return false;
  for (size_t i = 0; i < scheme.size(); ++i) lower[i] = static_cast<char>(scheme[i] | 0x20);
  return is_listed({lower, scheme.size()}, "basic\0bearer\0dpop\0");
}

bool is_safe_value(std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

}  // namespace inlay::header_augmenting
