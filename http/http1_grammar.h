// SPDX-License-Identifier: Apache-2.0
#pragma once

// The line grammar of HTTP/1.1 (RFC 9112, RFC 9110 section 5): strict, without state, without allocation. A line comes
// without its CRLF. Inside of http/.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/header_map.h"

namespace inlay::http {

// RequestLine: method SP request-target SP HTTP-version (RFC 9112 section 3).
struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view version;
};
std::optional<RequestLine> split_request_line(std::string_view line);

// Target: a request-target, whatever its form (RFC 9112 section 3.2).
struct Target {
  std::string_view path;       // with query; empty for CONNECT
  std::string_view scheme;     // absolute-form only: "http" or "https"
  std::string_view authority;  // absolute-form and authority-form only
  bool prefix_slash = false;   // absolute-form without a path: "/" goes before `path`
};
std::optional<Target> parse_target(std::string_view method, std::string_view target);

// A host with an optional port, as in Host; empty is allowed (RFC 9112 section 3.2). No user information.
bool is_authority(std::string_view text);

// The methods that Envoy 1.40 knows, as they are written: what it takes without allow_custom_methods.
bool is_known_method(std::string_view method);

// The n of "HTTP/1.n" for n of 0 and 1; nullopt for all else.
std::optional<uint32_t> parse_version(std::string_view version);
// "HTTP/" DIGIT "." DIGIT of another version: well-formed, but not ours.
bool is_other_version(std::string_view version);

// HTTP-version SP 3DIGIT SP [reason]. HTTP/1.2 and later are HTTP/1.1 with more of it (RFC 9110 section 6.2), and what
// is above 599 is passed on as it is (section 15).
struct StatusLine {
  uint32_t minor_version = 1;
  uint32_t status = 0;
  std::string_view status_text;
};
std::optional<StatusLine> parse_status_line(std::string_view line);

// FieldLine: a name, lower-case, and its value without white space around it. The name's bytes stand in `buffer`.
struct FieldLine {
  static constexpr size_t kMaxName = 512;
  std::string_view name;
  std::string_view value;
  HeaderId id = HeaderId::kOther;
  std::array<char, kMaxName> buffer;
};
// False for what RFC 9112 section 5 forbids: no colon, white space before it, obs-fold, characters that are no token,
// control characters in the value; and for a name above kMaxName.
bool parse_field_line(std::string_view line, FieldLine& out);

// Digits only, no sign, no overflow; as many zeros before them as there are.
std::optional<uint64_t> parse_content_length(std::string_view text);
// One zero stays.
std::string_view without_leading_zeros(std::string_view digits);

// chunk-size [ chunk-ext ] (RFC 9112 section 7.1). `padding`: bytes of the line beyond what the size needs, that is
// leading zeros, white space, with which some pad it, and extensions. nullopt also for more than 15 digits behind the
// zeros.
struct ChunkSize {
  uint64_t size = 0;
  size_t padding = 0;
};
std::optional<ChunkSize> parse_chunk_size(std::string_view line);

// Calls `use` with each element of a comma-separated list, without white space around it; empty ones are left out.
template <class Use>
void for_each_list_element(std::string_view list, Use use) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) element.remove_prefix(1);
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) element.remove_suffix(1);
    if (!element.empty()) use(element);
  }
}

}  // namespace inlay::http
