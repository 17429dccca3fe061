// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/rules.h"

#include <algorithm>

#include "config/scalar_check.h"
#include "deploy/render/placeholders.h"
#include "document/scalars.h"

namespace inlay::deploy {

using config::Reporter;
using document::quote;
using document::Source;
using SourcePtr = std::shared_ptr<const Source>;

namespace {

constexpr std::string_view kFlatKey = "header_providing_service_cluster";
constexpr std::string_view kFlatKeys[] = {kFlatKey, "header_providing_service_authority",
                                          "header_providing_service_path", "header_cache_expiry"};

SourcePtr text_of(std::string text) {
  auto source = std::make_shared<Source>();
  source->kind = Source::Kind::kScalar;
  source->quoted = true;
  source->text = std::move(text);
  return source;
}

SourcePtr list_of(std::vector<SourcePtr> items) {
  auto source = std::make_shared<Source>();
  source->kind = Source::Kind::kList;
  source->items = std::move(items);
  return source;
}

// `map` with `value` at `key`: in the place of what stood there, else at `otherwise`, an index.
SourcePtr with(const Source* map, const std::string& key, SourcePtr value, size_t otherwise) {
  auto source = map == nullptr ? std::make_shared<Source>() : std::make_shared<Source>(*map);
  source->kind = Source::Kind::kMap;
  for (Source::Entry& entry : source->entries) {
    if (entry.key != key) continue;
    entry.value = std::move(value);
    return source;
  }
  source->entries.insert(source->entries.begin() + static_cast<std::ptrdiff_t>(otherwise), {key, {}, std::move(value)});
  return source;
}

// The HOST or HOST:PORT of a text that is `${cluster:HOST}` and nothing else; "" for any other.
std::string_view destination_named(const Source& cluster) {
  const std::string_view text = cluster.text;
  const std::vector<Placeholder> found = find_placeholders(text);
  const bool whole = cluster.kind == Source::Kind::kScalar && found.size() == 1 && found[0].closed &&
                     found[0].kind == Placeholder::Kind::kCluster && text.starts_with("${") &&
                     found[0].name.data() + found[0].name.size() + 1 == text.data() + text.size();
  return whole ? found[0].name : std::string_view();
}

bool is_named(const Destination& destination, std::string_view name) {
  return name == destination.host || name == destination.host + ":" + std::to_string(destination.port);
}

const Source* match_cluster(const Source& rule) {
  const Source* match = rule.find("match");
  return match == nullptr ? nullptr : match->find("cluster");
}

const Source* own_rules(const Values& values) {
  const auto& configuration = values.plugin.configuration;
  return configuration == nullptr ? nullptr : configuration->find("rules");
}

// Whether `rule` says that no source is used.
bool uses_none(const Source& rule) {
  const Source* use = rule.find("use");
  return use != nullptr && use->kind == Source::Kind::kList && use->items.empty();
}

// `rule` for each cluster of the destinations that it is for. One that gives no headers and names no destination stays
// as it is: what it takes off or keeps away has to hold elsewhere, too.
void add_narrowed(const SourcePtr& given, const Values& values, const ClusterNames& names,
                  std::vector<SourcePtr>& out) {
  const Source* rule = given.get();
  const Source* own = rule == nullptr ? nullptr : match_cluster(*rule);
  if (rule != nullptr && own == nullptr && uses_none(*rule)) {
    out.push_back(given);
    return;
  }
  for (const Destination& destination : values.destinations) {
    if (own != nullptr && !is_named(destination, destination_named(*own))) continue;
    for (std::string& cluster : names.destination(destination)) {
      const Source* match = rule == nullptr ? nullptr : rule->find("match");
      out.push_back(with(rule, "match", with(match, "cluster", text_of(std::move(cluster)), 0), 0));
    }
  }
}

// Whether a configuration that is a text names the keys that give the filter its sources.
bool is_text_of_filter(std::string_view text) {
  return text.find("\"sources\"") != std::string_view::npos ||
         std::any_of(std::begin(kFlatKeys), std::end(kFlatKeys),
                     [&](std::string_view key) { return text.find(key) != std::string_view::npos; });
}

}  // namespace

bool takes_rules(const Values& values) {
  if (values.module.from == Module::From::kFile) return values.module.bytes.find(kFlatKey) != std::string::npos;
  const auto& configuration = values.plugin.configuration;
  if (configuration == nullptr) return false;
  if (configuration->kind == Source::Kind::kScalar) return is_text_of_filter(configuration->text);
  if (configuration->kind != Source::Kind::kMap) return false;
  if (std::any_of(std::begin(kFlatKeys), std::end(kFlatKeys),
                  [&](std::string_view key) { return configuration->find(key) != nullptr; }))
    return true;
  const Source* sources = configuration->find("sources");
  return sources != nullptr && std::any_of(sources->items.begin(), sources->items.end(), [](const SourcePtr& item) {
           return item->find("cluster") != nullptr || item->find("oauth2") != nullptr ||
                  item->find("format") != nullptr;
         });
}

void check_rules(const Values& values, Reporter& report) {
  const std::string path = "plugin.configuration";
  const auto& configuration = values.plugin.configuration;
  if (configuration != nullptr && configuration->kind == Source::Kind::kScalar)
    report.error(configuration->place, path,
                 "expected a map, found a text: rules are added to it, which keep headers to the destinations");
  const Source* rules = own_rules(values);
  if (rules == nullptr) return;
  if (rules->kind != Source::Kind::kList) {
    report.error(rules->place, path + ".rules", "expected a list");
    return;
  }
  for (size_t i = 0; i < rules->items.size(); ++i) {
    const Source& rule = *rules->items[i];
    const std::string at = path + ".rules[" + std::to_string(i) + "]";
    const Source* match = rule.find("match");
    if (rule.kind != Source::Kind::kMap || (match != nullptr && match->kind != Source::Kind::kMap)) {
      report.error(rule.place, at, "expected a map, and a map as its `match`");
      continue;
    }
    const Source* cluster = match_cluster(rule);
    if (cluster == nullptr) continue;
    const std::string_view name = destination_named(*cluster);
    if (std::any_of(values.destinations.begin(), values.destinations.end(),
                    [&](const Destination& destination) { return is_named(destination, name); }))
      continue;
    std::string hosts;
    for (const Destination& destination : values.destinations)
      hosts += (hosts.empty() ? "" : ", ") + quote("${cluster:" + destination.host + "}");
    report.error(cluster->place, at + ".match.cluster",
                 "expected the host of one of `traffic.destinations`, found " + config::describe(*cluster) +
                     "; there are " + (hosts.empty() ? "none" : hosts));
  }
}

SourcePtr with_rules(const Values& values, const ClusterNames& names) {
  const Source* own = own_rules(values);
  std::vector<SourcePtr> rules;
  if (own == nullptr || own->items.empty()) add_narrowed(nullptr, values, names, rules);
  if (own != nullptr)
    for (const SourcePtr& rule : own->items) add_narrowed(rule, values, names, rules);
  rules.push_back(with(nullptr, "use", list_of({}), 0));
  const auto& configuration = values.plugin.configuration;
  const bool map = configuration != nullptr && configuration->kind == Source::Kind::kMap;
  return with(map ? configuration.get() : nullptr, "rules", list_of(std::move(rules)),
              map ? configuration->entries.size() : 0);
}

bool can_augment(std::string_view configuration_json, std::string_view cluster) {
  document::Diagnostics diagnostics;
  const SourcePtr configuration = document::parse_source(configuration_json, true, "configuration", diagnostics);
  const Source* rules = configuration == nullptr ? nullptr : configuration->find("rules");
  if (rules == nullptr || rules->kind != Source::Kind::kList || rules->items.empty()) return true;
  for (const SourcePtr& rule : rules->items) {
    const Source* narrow = match_cluster(*rule);
    if (narrow != nullptr && narrow->text != cluster) continue;
    if (!uses_none(*rule)) return true;
    const Source* match = rule->find("match");
    const size_t others = match == nullptr ? 0 : match->entries.size() - (narrow == nullptr ? 0 : 1);
    if (others == 0) return false;  // no later rule is looked at
  }
  return false;  // the filter leaves alone what no rule matches
}

}  // namespace inlay::deploy
