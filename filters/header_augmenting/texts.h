// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small things that are done with texts. Out of line, since most of what does them here runs seldom.

#include <string_view>

namespace inlay::header_augmenting {

// is_same: whether two texts are.
[[gnu::noinline]] inline bool is_same(std::string_view a, std::string_view b) {
  return a == b;
}

// is_listed: whether `text` is one of the words of `list`: each ends with a NUL, and an empty one ends them.
//
//     is_listed(alg, "ES256\0RS256\0")
[[gnu::noinline]] inline bool is_listed(std::string_view text, const char* list) {
  while (*list != '\0') {
    const std::string_view word(list);
    if (word == text) return true;
    list += word.size() + 1;
  }
  return false;
}

// take_to: what stands before `end` or the end of `text`, taken off with `end` itself.
[[gnu::noinline]] inline std::string_view take_to(std::string_view& text, char end) {
  size_t size = 0;
  while (size < text.size() && text[size] != end) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size < text.size() ? size + 1 : size);
  return taken;
}

// trim: `text` without white space at its begin and end.
[[gnu::noinline]] inline std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace inlay::header_augmenting
