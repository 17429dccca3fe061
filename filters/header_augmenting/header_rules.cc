// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/header_rules.h"

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

bool is_safe_value(std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

}  // namespace inlay::header_augmenting
