// SPDX-License-Identifier: Apache-2.0
#include "http/envoy_headers.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"

namespace inlay::http {
namespace {

HeaderId id_of(std::string_view name) {
  std::array<char, 64> lower;  // longer than any name that has an id
  if (name.size() > lower.size()) return HeaderId::kOther;
  std::transform(name.begin(), name.end(), lower.begin(), to_lower);
  return header_id({lower.data(), name.size()});
}

}  // namespace

std::string_view request_field(std::string_view name) {
  return name.size() == 4 && id_of(name) == HeaderId::kHost ? std::string_view(":authority") : name;
}

void add_field(HeaderMap& map, std::string_view name, std::string_view value) {
  const HeaderId id = id_of(name);
  if (id != HeaderId::kOther)
    add_field(map, id, header_name(id), value);
  else
    map.add(name, value);
}

void add_field(HeaderMap& map, HeaderId id, std::string_view lower_name, std::string_view value) {
  const auto there = id == HeaderId::kOther ? std::nullopt : map.get(id);
  if (there) [[unlikely]]
    map.set(id, std::string(*there).append(",").append(value));
  else
    map.add(id, lower_name, value);
}

}  // namespace inlay::http
