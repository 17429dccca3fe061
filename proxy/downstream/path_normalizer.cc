// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/path_normalizer.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace inlay::proxy::downstream {
namespace {

bool is_unreserved(char c) {
  return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Visible characters that stand in no URI (RFC 3986 section 2).
constexpr std::array<bool, 256> kMustBeEncoded = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("\"<>^`{|}")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool must_be_encoded(char c) {
  return kMustBeEncoded[static_cast<unsigned char>(c)];
}

void append_encoded(std::string& out, char c) {
  append_hex(out += '%', c, kUpperHex);
}

// The value of the escape that begins at path[i]; -1: none does.
int escape_at(std::string_view path, size_t i) {
  if (i + 2 >= path.size() || path[i] != '%') return -1;
  const int high = hex_value(path[i + 1]);
  const int low = hex_value(path[i + 2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// A "%" that began no escape must not begin one because of what was decoded behind it ("%2%65" is not "%2e"): then it
// is encoded itself. `percent`: where the last such "%" stands in `out`; `next`: what comes after what was decoded.
void mend_percent(std::string& out, size_t percent, std::string_view next) {
  const size_t behind = out.size() - percent - 1;
  if (behind > 2) return;
  std::string candidate = out.substr(percent);
  if (behind == 1) candidate += next.substr(0, 1);
  if (escape_at(candidate, 0) >= 0) out.insert(percent + 1, "25");
}

std::optional<std::string> decode_escapes(std::string_view path) {
  std::string out;
  size_t percent = std::string::npos;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const int value = escape_at(path, i);
    if (value == 0) return std::nullopt;
    if (value > 0) {
      const char decoded = static_cast<char>(value);
      i += 2;
      if (!is_unreserved(decoded)) {
        out += path.substr(i - 2, 3);
        continue;
      }
      out += decoded;
      if (percent != std::string::npos) mend_percent(out, percent, path.substr(i + 1));
    } else if (must_be_encoded(c)) {
      append_encoded(out, c);
    } else {
      if (c == '%') percent = out.size();
      out += c == '\\' ? '/' : c;
    }
  }
  return out;
}

// "..", "." and what they are with a parameter behind them.
std::string_view without_parameter(std::string_view segment) {
  const std::string_view name = segment.substr(0, segment.find(';'));
  return name == "." || name == ".." ? name : segment;
}

// RFC 3986 section 5.2.4; ".." above the root stays at the root.
std::string remove_dot_segments(std::string_view path) {
  std::string result;
  size_t start = 1;
  while (start <= path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view segment = without_parameter(path.substr(start, end - start));
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

size_t path_end(std::string_view path) {
  return std::min(path.find('?'), path.size());
}

}  // namespace

bool path_rules_concern(const config::HttpConnectionManager& config, std::string_view path) {
  using Action = config::HttpConnectionManager::EscapedSlashes;
  const bool escapes = config.escaped_slashes != Action::kKeepUnchanged;
  if (!config.normalize_path && !config.merge_slashes && !escapes) return false;
  path = path.substr(0, path_end(path));
  char before = 0;
  for (const char c : path) {
    if (c == '%' || c == '\\' || must_be_encoded(c)) return true;
    if (before == '/' && (c == '.' || c == '/')) return true;
    before = c;
  }
  return false;
}

PathOutcome apply_path_rules(const config::HttpConnectionManager& config, std::string& path) {
  using Action = config::HttpConnectionManager::EscapedSlashes;
  PathOutcome outcome = PathOutcome::kTake;
  if (config.escaped_slashes != Action::kKeepUnchanged) {
    std::string unescaped = unescape_slashes(path);
    const bool had = unescaped != path;
    path = std::move(unescaped);
    if (had && config.escaped_slashes == Action::kReject) return PathOutcome::kRefuse;
    if (had && config.escaped_slashes == Action::kRedirect) outcome = PathOutcome::kRedirect;
  }
  if (config.normalize_path) {
    auto normal = normalize_path(path);
    if (!normal) return PathOutcome::kRefuse;
    path = *std::move(normal);
  }
  if (config.merge_slashes) path = merge_slashes(path);
  return outcome;
}

std::optional<std::string> normalize_path(std::string_view path) {
  if (path.empty() || path[0] != '/') return std::string(path);
  const size_t query = path_end(path);
  auto decoded = decode_escapes(path.substr(0, query));
  if (!decoded) return std::nullopt;
  return remove_dot_segments(*decoded).append(path.substr(query));
}

std::string merge_slashes(std::string_view path) {
  const size_t query = path_end(path);
  std::string result;
  for (char c : path.substr(0, query)) {
    if (c != '/' || result.empty() || result.back() != '/') result += c;
  }
  return result.append(path.substr(query));
}

std::string unescape_slashes(std::string_view path) {
  const size_t query = path_end(path);
  std::string result;
  for (size_t i = 0; i < query; ++i) {
    const int value = i + 2 < query ? escape_at(path, i) : -1;
    const bool slash = value == '/' || value == '\\';
    result += slash ? static_cast<char>(value) : path[i];
    if (slash) i += 2;
  }
  return result.append(path.substr(query));
}

std::string same_server_reference(std::string_view path) {
  const bool names_a_server = path.starts_with("//") || path.starts_with("/\\");
  return (names_a_server ? "/." : "") + std::string(path);
}

}  // namespace inlay::proxy::downstream
