// SPDX-License-Identifier: Apache-2.0
#include "package/reference.h"

#include <algorithm>
#include <string>

#include "base/ascii.h"

namespace inlay::package {
namespace {

bool is_separator(char c) {
  return c == '/' || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_tag(std::string_view text) {
  constexpr size_t kMost = 128;
  const auto fits = [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= kMost && text[0] != '.' && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), fits);
}

bool is_repository(std::string_view text) {
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const size_t colon = text.substr(0, slash).find(':');
    if (colon != std::string_view::npos) {
      const std::string_view port = text.substr(colon + 1, slash - colon - 1);
      const bool digits = !port.empty() && port.find_first_not_of("0123456789") == std::string_view::npos;
      return digits && is_repository(std::string(text.substr(0, colon)).append(text.substr(slash)));
    }
  }
  char before = '/';
  for (const char c : text) {
    const bool repeated = c == before && (c == '-' || c == '_');
    const bool good = is_separator(c) ? repeated || !is_separator(before) : is_alphanumeric(c) && !is_upper(c);
    if (!good) return false;
    before = c;
  }
  return !is_separator(before);
}

bool names_registry(std::string_view repository) {
  const size_t slash = repository.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view first = repository.substr(0, slash);
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
}

}  // namespace inlay::package
