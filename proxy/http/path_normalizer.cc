// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/path_normalizer.h"

#include <algorithm>

namespace inlay::proxy::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::optional<std::string> decode_escapes(std::string_view path) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      result += path[i] == '\\' ? '/' : path[i];
      continue;
    }
    const int high = i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    const char c = static_cast<char>(high << 4 | low);
    if (is_unreserved(c)) {
      result += c;
    } else {
      result += {'%', kHex[static_cast<size_t>(high)], kHex[static_cast<size_t>(low)]};
    }
    i += 2;
  }
  return result;
}

// RFC 3986 section 5.2.4; ".." above the root stays at the root.
std::string remove_dot_segments(std::string_view path) {
  std::string result;
  size_t start = 1;
  while (start <= path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view segment = path.substr(start, end - start);
    const bool last = end == path.size();
    if (segment == "..") {
      result.resize(result.empty() ? 0 : result.rfind('/'));
      if (last) result += '/';
    } else if (segment == ".") {
      if (last) result += '/';
    } else {
      result += '/';
      result += segment;
    }
    start = end + 1;
  }
  return result;
}

}  // namespace

std::optional<std::string> normalize_path(std::string_view path) {
  if (path.empty() || path[0] != '/') return std::string(path);
  const size_t query = std::min(path.find('?'), path.size());
  auto decoded = decode_escapes(path.substr(0, query));
  if (!decoded) return std::nullopt;
  return remove_dot_segments(*decoded).append(path.substr(query));
}

std::string merge_slashes(std::string_view path) {
  const size_t query = std::min(path.find('?'), path.size());
  std::string result;
  for (char c : path.substr(0, query)) {
    if (c != '/' || result.empty() || result.back() != '/') result += c;
  }
  return result.append(path.substr(query));
}

}  // namespace inlay::proxy::http
