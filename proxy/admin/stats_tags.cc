// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/stats_tags.h"

#include <algorithm>
#include <optional>
#include <regex>
#include <utility>

namespace inlay::proxy::admin {

struct StatsTags::Tag {
  std::string name;
  std::string fixed_value;
  std::optional<std::regex> regex;  // nullopt: the value is fixed
};

namespace {

// std::regex_search() calls itself for each character.
constexpr size_t kLongestName = 1024;

// The groups of the first place that the regex fits; empty: there is none.
std::cmatch find(const std::regex& regex, std::string_view name) {
  std::cmatch groups;
  if (name.size() > kLongestName) return groups;
  try {
    std::regex_search(name.data(), name.data() + name.size(), groups, regex);
  } catch (const std::regex_error&) {  // too much to try
    return {};
  }
  return groups;
}

// Of several rules for one label the first that fits counts: Prometheus takes no label twice.
void append_once(std::string_view label, std::string_view value, std::string& labels) {
  std::string all = labels;
  append_label(label, value, all);
  const size_t own = labels.empty() ? 0 : labels.size() + 1;
  const std::string name = all.substr(own, all.find("=\"", own) + 2 - own);
  if (labels.starts_with(name) || labels.find("," + name) != std::string::npos) return;
  labels = std::move(all);
}

}  // namespace

StatsTags::StatsTags(const std::vector<config::StatsTag>& tags) {
  for (const config::StatsTag& tag : tags) {
    // A tag without either is one of Envoy's own, which split_prometheus_name() knows.
    if (tag.regex.empty() && !tag.fixed_value) continue;
    Tag& made = tags_.emplace_back(Tag{tag.name, tag.fixed_value.value_or(""), std::nullopt});
    if (!tag.fixed_value) made.regex.emplace(tag.regex, std::regex::optimize);  // the loader has tried it
  }
}

StatsTags::~StatsTags() = default;

PrometheusName StatsTags::split(std::string_view name) const {
  if (tags_.empty()) return split_prometheus_name(name);
  std::string labels;
  std::vector<std::pair<size_t, size_t>> taken;  // from, to
  for (const Tag& tag : tags_) {
    if (!tag.regex) {
      append_once(tag.name, tag.fixed_value, labels);
      continue;
    }
    const std::cmatch groups = find(*tag.regex, name);
    if (groups.size() < 2 || !groups[1].matched) continue;
    const std::csub_match& value = groups[groups.size() > 2 ? 2 : 1];
    const auto length = static_cast<size_t>(value.length());
    append_once(tag.name, value.matched ? std::string_view(value.first, length) : std::string_view(), labels);
    const auto from = static_cast<size_t>(groups[1].first - name.data());
    taken.emplace_back(from, from + static_cast<size_t>(groups[1].length()));
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
