// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/request_match.h"

#include "sdk/context.h"
#include "sdk/property.h"

namespace inlay::header_augmenting {
namespace {

// port_at: where the ":" of a port stands; the size if there is none.
size_t port_at(std::string_view authority) {
  size_t at = authority.size();
  while (at != 0 && authority[at - 1] >= '0' && authority[at - 1] <= '9') --at;
  return at != 0 && authority[at - 1] == ':' ? at - 1 : authority.size();
}

// is_lower: whether `text` in lower case is `lower`.
bool is_lower(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

bool has_header(const HeaderMatch& match) {
  const auto value = sdk::HttpContext::request_headers().get(match.name);
  if (match.present == Presence::kAbsent) return !value;
  if (!value) return false;
  if (match.exact.data() != nullptr && value->view() != match.exact) return false;
  return value->view().starts_with(match.prefix);
}

bool has_method(Texts methods, std::string_view method) {
  for (const std::string_view one : methods) {
    if (one == method) return true;
  }
  return methods.data() == nullptr;
}

std::string_view without_query(std::string_view path) {
  size_t size = 0;
  while (size < path.size() && path[size] != '?') ++size;
  return path.substr(0, size);
}

}  // namespace

std::string_view RequestView::cluster() {
  static constexpr std::string_view kProperty("xds\0cluster_name", 16);
  if (!cluster_.read) {
    cluster_.read = true;
    if (auto value = sdk::get_property(kProperty)) cluster_.value = *std::move(value);
  }
  return cluster_.value.view();
}

std::string_view RequestView::read(Field& field, std::string_view name) {
  if (!field.read) {
    field.read = true;
    if (auto value = sdk::HttpContext::request_headers().get(name)) field.value = *std::move(value);
  }
  return field.value.view();
}

bool RequestView::is_trace() const {
  constexpr std::string_view kTrace = "TRACE";
  if (method_.read) return method_.value.view() == kTrace;
  const auto method = sdk::HttpContext::request_headers().get(":method");
  return method && method->view() == kTrace;
}

bool is_alias(std::string_view owned, std::string_view name) {
  if (owned.size() != name.size()) return false;
  bool differs = false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (owned[i] == name[i]) continue;
    if ((owned[i] != '-' && owned[i] != '_') || (name[i] != '-' && name[i] != '_')) return false;
    differs = true;
  }
  return differs;
}

bool has_aliases(std::string_view name) {
  for (const char c : name) {
    if (c == '-' || c == '_') return true;
  }
  return false;
}

bool is_authority(std::string_view pattern, std::string_view authority) {
  if (port_at(pattern) == pattern.size()) authority = authority.substr(0, port_at(authority));
  if (!pattern.starts_with("*.")) return is_lower(authority, pattern);
  pattern.remove_prefix(1);
  return authority.size() > pattern.size() && is_lower(authority.substr(authority.size() - pattern.size()), pattern);
}

bool matches(const Match& match, RequestView& request) {
  if (!match.authority.empty() && !is_authority(match.authority, request.authority())) return false;
  if (!match.path_prefix.empty() && !request.path().starts_with(match.path_prefix)) return false;
  if (!match.path.empty() && without_query(request.path()) != match.path) return false;
  if (match.methods.data() != nullptr && !has_method(match.methods, request.method())) return false;
  // After what costs less: a host may have to find the route for it.
  if (!match.cluster.empty() && request.cluster() != match.cluster) return false;
  for (const HeaderMatch& header : match.headers) {
    if (!has_header(header)) return false;
  }
  return true;
}

}  // namespace inlay::header_augmenting
