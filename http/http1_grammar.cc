// SPDX-License-Identifier: Apache-2.0
#include "http/http1_grammar.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"

namespace inlay::http {
namespace {

using Table = std::array<char, 256>;

constexpr void allow(Table& table, std::string_view characters) {
  for (char c : characters) table[static_cast<uint8_t>(c)] = c;
}
constexpr void allow_alphanumeric(Table& table) {
  for (char c = '0'; c <= '9'; ++c) table[static_cast<uint8_t>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<uint8_t>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<uint8_t>(c)] = c;
}

// Token characters to lower case; 0 for all else.
constexpr Table make_name_table() {
  Table table{};
  allow_alphanumeric(table);
  allow(table, "!#$%&'*+-.^_`|~");
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<uint8_t>(c)] = static_cast<char>(c | 0x20);
  return table;
}
constexpr Table kName = make_name_table();

// uri-host and port of RFC 3986: unreserved, sub-delims, pct-encoded, IP-literal.
constexpr Table make_authority_table() {
  Table table{};
  allow_alphanumeric(table);
  allow(table, "-._~!$&'()*+,;=%:[]");
  return table;
}
constexpr Table kAuthority = make_authority_table();

bool all_in(const Table& table, std::string_view text) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return table[static_cast<uint8_t>(c)] != 0; });
}

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = kOnes * 0x80;

// field-value characters: no control character but tab. Eight bytes at a time: a byte below 0x20 or equal to 0x7f sets
// its high bit; a word that has one is looked at byte by byte, since it may be a tab (or the borrow of a neighbour).
bool is_field_value(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  for (; end - p >= 8; p += 8) {
    uint64_t word = 0;
    std::memcpy(&word, p, 8);
    const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
    const uint64_t is_del = word ^ (kOnes * 0x7f);
    const uint64_t del = (is_del - kOnes) & ~is_del & kHighs;
    if ((below_space | del) != 0 && !is_header_value({p, 8})) return false;
  }
  return is_header_value({p, static_cast<size_t>(end - p)});
}

// Visible ASCII without '#': a fragment is never sent (RFC 9110 section 4.2.5).
bool is_target_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

std::optional<Target> parse_absolute(std::string_view target) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Target result;
  const std::string_view scheme = target.substr(0, colon);
  if (equals_ignore_case(scheme, "http")) {
    result.scheme = "http";
  } else if (equals_ignore_case(scheme, "https")) {
    result.scheme = "https";
  } else {
    return std::nullopt;
  }
  const std::string_view rest = target.substr(colon + 3);
  const size_t end = rest.find_first_of("/?");
  result.authority = rest.substr(0, end);
  if (result.authority.empty() || !is_authority(result.authority)) return std::nullopt;
  if (end != std::string_view::npos) result.path = rest.substr(end);
  result.prefix_slash = result.path.empty() || result.path[0] == '?';
  return result;
}

}  // namespace

std::optional<RequestLine> split_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  RequestLine result{line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)};
  if (result.method.empty() || result.target.empty() || !all_in(kName, result.method)) return std::nullopt;
  return result;
}

std::optional<Target> parse_target(std::string_view method, std::string_view target) {
  if (target.empty() || !is_target_text(target)) return std::nullopt;
  Target result;
  if (method == "CONNECT") {
    const size_t colon = target.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || !is_authority(target)) return std::nullopt;
    if (!parse_content_length(target.substr(colon + 1))) return std::nullopt;
    result.authority = target;
    return result;
  }
  if (target[0] == '/' || (target == "*" && method == "OPTIONS")) {
    result.path = target;
    return result;
  }
  return parse_absolute(target);
}

bool is_known_method(std::string_view method) {
  if (method == "GET" || method == "POST") return true;
  static constexpr std::array<std::string_view, 34> kMethods = {
      "ACL",    "BIND",   "CHECKOUT",   "CONNECT",    "COPY",   "DELETE", "GET",     "HEAD",   "LINK",
      "LOCK",   "MERGE",  "MKACTIVITY", "MKCALENDAR", "MKCOL",  "MOVE",   "MSEARCH", "NOTIFY", "OPTIONS",
      "PATCH",  "POST",   "PROPFIND",   "PROPPATCH",  "PURGE",  "PUT",    "QUERY",   "REBIND", "REPORT",
      "SEARCH", "SOURCE", "SUBSCRIBE",  "TRACE",      "UNBIND", "UNLINK", "UNLOCK"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end() || method == "UNSUBSCRIBE";
}

bool is_authority(std::string_view text) {
  return all_in(kAuthority, text);
}

std::optional<uint32_t> parse_version(std::string_view version) {
  if (version == "HTTP/1.1") return 1;
  if (version == "HTTP/1.0") return 0;
  return std::nullopt;
}

bool is_other_version(std::string_view version) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) && version[6] == '.' &&
         digit(version[7]);
}

std::optional<StatusLine> parse_status_line(std::string_view line) {
  if (line.size() < 12 || line[8] != ' ') return std::nullopt;
  const std::string_view version = line.substr(0, 8);
  if (!version.starts_with("HTTP/1.") || !is_other_version(version)) return std::nullopt;
  StatusLine result;
  result.minor_version = version[7] == '0' ? 0 : 1;
  result.status_text = line.substr(9, 3);
  for (char c : result.status_text) {
    if (c < '0' || c > '9') return std::nullopt;
    result.status = result.status * 10 + static_cast<uint32_t>(c - '0');
  }
  if (result.status < 100) return std::nullopt;
  const std::string_view rest = line.substr(12);
  if (!rest.empty() && (rest[0] != ' ' || !is_field_value(rest))) return std::nullopt;
  return result;
}

bool parse_field_line(std::string_view line, FieldLine& out) {
  size_t n = 0;
  const size_t limit = std::min(line.size(), out.buffer.size());
  for (; n < limit; ++n) {
    const char lower = kName[static_cast<uint8_t>(line[n])];
    if (lower == 0) break;
    out.buffer[n] = lower;
  }
  if (n == 0 || n == limit || line[n] != ':') return false;
  out.name = {out.buffer.data(), n};
  out.id = header_id(out.name);
  std::string_view value = line.substr(n + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  out.value = value;
  return is_field_value(value);
}

std::optional<uint64_t> parse_content_length(std::string_view text) {
  if (text.empty()) return std::nullopt;
  text = without_leading_zeros(text);
  if (text.size() > 19) return std::nullopt;  // 19 digits fit into 64 bits
  uint64_t result = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    result = result * 10 + static_cast<uint64_t>(c - '0');
  }
  return result;
}

std::string_view without_leading_zeros(std::string_view digits) {
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  return digits;
}

std::optional<ChunkSize> parse_chunk_size(std::string_view line) {
  constexpr size_t kMaxDigits = 15;  // 60 bits
  const size_t zeros = std::min(line.find_first_not_of('0'), line.size());
  size_t digits = zeros;
  ChunkSize chunk;
  for (; digits < line.size(); ++digits) {
    const int value = hex_value(line[digits]);
    if (value < 0) break;
    if (digits - zeros == kMaxDigits) return std::nullopt;
    chunk.size = chunk.size << 4 | static_cast<uint64_t>(value);
  }
  const std::string_view rest = line.substr(digits);
  const std::string_view extension = rest.substr(std::min(rest.find_first_not_of(" \t"), rest.size()));
  if (digits == 0) return std::nullopt;
  if (!extension.empty() && (extension[0] != ';' || !is_header_value(extension))) return std::nullopt;
  chunk.padding = rest.size() + zeros;
  return chunk;
}

}  // namespace inlay::http
