// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/configuration.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "config/field_table.h"
#include "deploy/render/placeholders.h"
#include "deploy/render/rules.h"
#include "deploy/render/secrets.h"
#include "deploy/render/yaml_text.h"
#include "document/scalars.h"

namespace inlay::deploy {

using config::Reporter;
using document::quote;
using document::Source;

namespace {

const Service* find_service(const Values& values, std::string_view name) {
  for (const Service& service : values.services)
    if (service.name == name) return &service;
  return nullptr;
}

// "; did you mean `x`?", or what there is.
std::string advice(std::string_view word, const std::vector<std::string_view>& known, std::string_view where) {
  const std::string near = config::nearest(word, known);
  if (!near.empty()) return "; did you mean `" + near + "`?";
  if (known.empty()) return "; `" + std::string(where) + "` is empty";
  std::string all;
  for (std::string_view name : known) all += (all.empty() ? "" : ", ") + quote(name);
  return "; there are " + all;
}

// CLIENT_SECRET for client_secret.
std::string variable_for(std::string_view key) {
  std::string out;
  for (char c : key) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? static_cast<char>(std::toupper(c)) : '_';
  return out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) != 0 ? "SECRET" : out;
}

class Check {
 public:
  Check(const Values& values, Reporter& report) : values_(values), report_(report) {}

  void run(const Source& source, const std::string& path) { value(source, path, "", ""); }

 private:
  void value(const Source& source, const std::string& path, std::string_view parent_key, std::string_view key) {
    switch (source.kind) {
      case Source::Kind::kNull:
        return;
      case Source::Kind::kScalar:
        scalar(source, path, parent_key, key);
        return;
      case Source::Kind::kList:
        for (size_t i = 0; i < source.items.size(); ++i)
          value(*source.items[i], path + "[" + std::to_string(i) + "]", parent_key, key);
        return;
      case Source::Kind::kMap:
        for (const Source::Entry& entry : source.entries) value(*entry.value, path + "." + entry.key, key, entry.key);
        return;
    }
  }

  void scalar(const Source& source, const std::string& path, std::string_view parent_key, std::string_view key) {
    if (is_literal_secret(parent_key, key, source.text) && !document::parse_bool(source.text)) {
      report_.error(source.place, path,
                    "looks like a secret, and what is rendered is read by many; write `${env:" + variable_for(key) +
                        "}` and name the variable in `plugin.environment`");
      return;
    }
    if (ambiguous(source)) {
      report_.error(source.place, path,
                    quote(source.text) + " is not the same to all readers of YAML; for a text quote it: \"" +
                        source.text + "\", else write true, false or a decimal number");
      return;
    }
    if (is_destination(path, key)) return;
    placeholders(source, path);
    literal_cluster(source, path, key);
  }

  // yes, on, 0755, 0x1f: booleans and numbers of YAML 1.1 only.
  static bool ambiguous(const Source& source) {
    if (source.quoted || is_json_number(source.text)) return false;
    if (document::parse_bool(source.text)) return source.text != "true" && source.text != "false";
    return document::parse_int(source.text) || document::parse_double(source.text);
  }

  // A rule's cluster is a destination's, which check_rules sees to.
  bool is_destination(const std::string& path, std::string_view key) const {
    return key == "cluster" && path.starts_with("plugin.configuration.rules[") && values_.outbound &&
           takes_rules(values_);
  }

  void placeholders(const Source& source, const std::string& path) {
    for (const Placeholder& placeholder : find_placeholders(source.text)) {
      if (!placeholder.closed) {
        report_.error(source.place, path, "`${` without its `}`");
      } else if (placeholder.kind == Placeholder::Kind::kCluster) {
        if (find_service(values_, placeholder.name) == nullptr)
          report_.error(source.place, path,
                        "no service is called " + quote(placeholder.name) +
                            advice(placeholder.name, service_names(), "services"));
      } else if (std::none_of(values_.plugin.environment.begin(), values_.plugin.environment.end(),
                              [&](const Variable& variable) { return variable.name == placeholder.name; })) {
        report_.error(source.place, path,
                      "`plugin.environment` has no variable " + quote(placeholder.name) +
                          advice(placeholder.name, variable_names(), "plugin.environment"));
      }
    }
  }

  // Where the header-augmenting filter wants a cluster, a literal cannot be right on all targets.
  void literal_cluster(const Source& source, const std::string& path, std::string_view key) {
    const bool cluster =
        key == "header_providing_service_cluster" || (key == "cluster" && path.find(".sources[") != std::string::npos);
    if (!cluster || has_placeholder(source.text, Placeholder::Kind::kCluster)) return;
    report_.error(source.place, path,
                  "expected `${cluster:NAME}`, found the string " + quote(source.text) +
                      "; each target has another name for a cluster" +
                      advice(source.text, service_names(), "services"));
  }

  std::vector<std::string_view> service_names() const {
    std::vector<std::string_view> names;
    for (const Service& service : values_.services) names.emplace_back(service.name);
    return names;
  }
  std::vector<std::string_view> variable_names() const {
    std::vector<std::string_view> names;
    for (const Variable& variable : values_.plugin.environment) names.emplace_back(variable.name);
    return names;
  }

  const Values& values_;
  Reporter& report_;
};

EditText replace_with(const Values& values, const ClusterNames& names) {
  return [&values, &names](std::string_view text) {
    return replace_clusters(text, [&](std::string_view name) {
      const Service* service = find_service(values, name);
      return service == nullptr ? std::string(name) : names.service(*service);
    });
  };
}

std::shared_ptr<const Source> complete(const Values& values, const ClusterNames& names) {
  return names.destination && values.outbound && takes_rules(values) ? with_rules(values, names)
                                                                     : values.plugin.configuration;
}

}  // namespace

void check_configuration(const Source& configuration, const std::string& path, const Values& values, Reporter& report) {
  Check(values, report).run(configuration, path);
}

ConfigurationText configuration_text(const Values& values, const ClusterNames& names) {
  const auto configuration = complete(values, names);
  if (configuration == nullptr || configuration->kind == Source::Kind::kNull) return {};
  const EditText edit = replace_with(values, names);
  if (configuration->kind == Source::Kind::kScalar) return {edit(configuration->text), false};
  return {pretty_json(*configuration, edit), true};
}

std::string configuration_yaml(const Values& values, const ClusterNames& names) {
  const auto configuration = complete(values, names);
  if (configuration == nullptr || configuration->kind != Source::Kind::kMap) return "";
  return block_yaml(*configuration, replace_with(values, names));
}

}  // namespace inlay::deploy
