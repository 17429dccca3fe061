// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/stats_tags.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace inlay::proxy::admin {

struct StatsTags::Tag {
  std::string name;
  std::string fixed_value;
  std::unique_ptr<re2::RE2> regex;  // null: the value is fixed
};

StatsTags::StatsTags(const std::vector<config::StatsTag>& tags) {
  for (const config::StatsTag& tag : tags) {
    // A tag without either is one of Envoy's own, which split_prometheus_name() knows.
    if (tag.regex.empty() && !tag.fixed_value) continue;
    tags_.push_back({tag.name, tag.fixed_value.value_or(""),
                     tag.regex.empty() ? nullptr : std::make_unique<re2::RE2>(tag.regex, re2::RE2::Quiet)});
  }
}

StatsTags::~StatsTags() = default;

PrometheusName StatsTags::split(std::string_view name) const {
  if (tags_.empty()) return split_prometheus_name(name);
  const re2::StringPiece whole(name.data(), name.size());
  std::string labels;
  std::vector<std::pair<size_t, size_t>> taken;  // from, to
  for (const Tag& tag : tags_) {
    if (tag.regex == nullptr) {
      append_label(tag.name, tag.fixed_value, labels);
      continue;
    }
    std::array<re2::StringPiece, 3> groups;
    const int count = std::min(tag.regex->NumberOfCapturingGroups(), 2) + 1;
    if (count < 2 || !tag.regex->Match(whole, 0, whole.size(), re2::RE2::UNANCHORED, groups.data(), count) ||
        groups[1].data() == nullptr)
      continue;
    const re2::StringPiece& value = count > 2 ? groups[2] : groups[1];
    append_label(tag.name, value.data() == nullptr ? "" : std::string_view(value.data(), value.size()), labels);
    const auto from = static_cast<size_t>(groups[1].data() - whole.data());
    taken.emplace_back(from, from + groups[1].size());
  }
  std::sort(taken.begin(), taken.end());
  std::string rest;
  size_t at = 0;
  for (const auto& [from, to] : taken) {
    if (from > at) rest += name.substr(at, from - at);
    at = std::max(at, to);
  }
  rest += name.substr(at);
  PrometheusName result = split_prometheus_name(rest);
  if (!labels.empty() && !result.labels.empty()) labels += ',';
  result.labels.insert(0, labels);
  return result;
}

}  // namespace inlay::proxy::admin
