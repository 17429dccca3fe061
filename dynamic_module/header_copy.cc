// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/header_copy.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "http/header_fault.h"

namespace inlay::dynamic_module {
namespace {

// A name whose values are to be others, with those. Owns its text: the first change makes Envoy's views invalid.
struct Change {
  std::string name;
  std::vector<std::string_view> values;  // of our map
};

// All of that name go, and the values come. (Where one is to be empty, setting it would only remove.)
void write(envoy::Filter* filter, uint32_t map, const Change& change) {
  const auto& values = change.values;
  const bool set = !values.empty() && !values.front().empty();
  envoy::http_set_header(filter, map, change.name, set ? values.front() : std::string_view());
  for (size_t i = set ? 1 : 0; i < values.size(); ++i)
    envoy::http_add_header(filter, map, change.name, values[i].empty() ? std::string_view("") : values[i]);
}

bool is_trailers(abi::MapType type) {
  return type == abi::MapType::kHttpRequestTrailers || type == abi::MapType::kHttpResponseTrailers;
}

bool can_be_sent(const http::HeaderMap::Entry& entry) {
  return http::is_header_name(entry.name) && http::is_header_value(entry.value);
}

// Whether the request's route leads to a cluster; before 1.40 there is none who tells.
bool is_sent_on(envoy::Filter* filter) {
  envoy::View cluster;
  return envoy::http_get_cluster_name != nullptr && envoy::http_get_cluster_name(filter, &cluster);
}

bool same(const http::HeaderMap& map, const std::vector<envoy::Field>& fields) {
  return map.size() == fields.size() && std::equal(map.begin(), map.end(), fields.begin(),
                                                   [](const http::HeaderMap::Entry& entry, const envoy::Field& field) {
                                                     return entry.name == field.name && entry.value == field.value;
                                                   });
}

std::vector<Change> changes(const http::HeaderMap& map, const std::vector<envoy::Field>& fields) {
  std::vector<Change> all;
  const auto look_at = [&](std::string_view name) {
    if (std::any_of(all.begin(), all.end(), [&](const Change& change) { return change.name == name; })) return;
    Change& change = all.emplace_back(Change{std::string(name), {}});
    for (const auto& entry : map)
      if (entry.name == name) change.values.push_back(entry.value);
  };
  for (const auto& entry : map) look_at(entry.name);
  for (const envoy::Field& field : fields) look_at(field.name);
  std::erase_if(all, [&](const Change& change) {
    size_t at = 0;
    for (const envoy::Field& field : fields) {
      if (field.name != std::string_view(change.name)) continue;
      if (at == change.values.size() || change.values[at++] != field.value) return false;
    }
    return at == change.values.size();
  });
  return all;
}

}  // namespace

bool HeaderCopy::fetch(envoy::Filter* filter, abi::MapType type) {
  const auto map = static_cast<uint32_t>(type);
  fields_.resize(envoy::http_get_headers_size(filter, map));
  return !fields_.empty() && envoy::http_get_headers(filter, map, fields_.data());
}

http::HeaderMap* HeaderCopy::read(envoy::Filter* filter, abi::MapType type) {
  if (loaded_) return &map_;
  if (!fetch(filter, type)) return nullptr;
  map_.clear();
  for (const envoy::Field& field : fields_) map_.add(field.name, field.value);
  loaded_ = true;
  return &map_;
}

std::string HeaderCopy::write_back(envoy::Filter* filter, abi::MapType type) {
  if (!std::exchange(written_, false)) return {};
  const bool request = type == abi::MapType::kHttpRequestHeaders;
  std::string fault;
  if (map_.spoiled()) {
    if (is_trailers(type)) map_.remove_if([](const auto& entry) { return !can_be_sent(entry); });
    fault = http::header_fault(map_);
    if (!fault.empty() && !request) return fault;
  }
  if (!fetch(filter, type)) fields_.clear();
  if (same(map_, fields_)) return {};
  const auto map = static_cast<uint32_t>(type);
  for (const Change& change : changes(map_, fields_)) write(filter, map, change);
  if (request) envoy::http_clear_route_cache(filter);
  return fault.empty() || is_sent_on(filter) ? std::string() : fault;
}

}  // namespace inlay::dynamic_module
