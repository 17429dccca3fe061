// SPDX-License-Identifier: Apache-2.0
#include "http2/field_list.h"

#include <cstdint>

namespace inlay::http2 {
namespace {

using http::HeaderId;

bool belongs_to_http1(const http::HeaderMap::Entry& field) {
  switch (field.id) {
    case HeaderId::kConnection:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kTransferEncoding:
    case HeaderId::kUpgrade:
      return true;
    case HeaderId::kTe:
      return field.value != "trailers";
    default:
      return false;
  }
}

// `connect`: of a request that is CONNECT, which alone may say to which protocol.
bool is_pseudo(HeaderId id, bool connect) {
  if (id == HeaderId::kProtocol) return connect;
  return id == HeaderId::kMethod || id == HeaderId::kScheme || id == HeaderId::kAuthority || id == HeaderId::kPath ||
         id == HeaderId::kStatus;
}

std::string_view trimmed(std::string_view value) {
  const auto first = value.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return value.substr(first, value.find_last_not_of(" \t") - first + 1);
}

uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // nghttp2 copies, and writes nothing
}

}  // namespace

void FieldList::add(std::string_view name, std::string_view value) {
  value = trimmed(value);
  fields_.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
}

void FieldList::fill(const http::HeaderMap& headers) {
  fields_.clear();
  const bool has_authority = headers.has(HeaderId::kAuthority);
  const bool connect = headers.value(HeaderId::kMethod) == "CONNECT";
  for (const auto& field : headers) {
    if (field.name.empty() || belongs_to_http1(field)) continue;
    if (field.name.front() == ':' && !is_pseudo(field.id, connect)) continue;
    if (field.id == HeaderId::kHost && has_authority) continue;
    add(field.name, field.value);
  }
}

void FieldList::fill_trailers(const http::HeaderMap& trailers) {
  fields_.clear();
  for (const auto& field : trailers) {
    if (!field.name.empty() && field.name.front() != ':' && !belongs_to_http1(field)) add(field.name, field.value);
  }
}

}  // namespace inlay::http2
