// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/header_rules.h"

#include <initializer_list>

namespace inlay::header_augmenting {
namespace {

constexpr std::string_view kForbidden[] = {
    "host", "content-length", "transfer-encoding", "connection",       "keep-alive",
    "te",   "trailer",        "upgrade",           "proxy-connection",
};

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
  for (const std::string_view forbidden : kForbidden) {
    if (name == forbidden) return true;
  }
  return false;
}

bool is_bare_scheme(std::string_view name, std::string_view value) {
  if (!name.ends_with("authorization")) return false;
  std::string_view scheme = value;
  while (scheme.ends_with(' ') || scheme.ends_with('\t')) scheme.remove_suffix(1);
  if (!is_token(scheme)) return false;
  if (scheme.size() != value.size()) return true;
  for (const std::string_view known : {"basic", "bearer", "dpop"}) {
    size_t same = 0;
    while (same < known.size() && same < scheme.size() && (scheme[same] | 0x20) == known[same]) ++same;
    if (same == known.size() && same == scheme.size()) return true;
  }
  return false;
}

bool is_safe_value(std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

}  // namespace inlay::header_augmenting
