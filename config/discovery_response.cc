// SPDX-License-Identifier: Apache-2.0
// config/core/v3 ConfigSource, PathConfigSource; service/discovery/v3 DiscoveryResponse.
#include "config/discovery_response.h"

#include <memory>
#include <utility>

#include "base/read_file.h"
#include "config/merge.h"
#include "document/scalars.h"
#include "document/source.h"

namespace inlay::config {

namespace {

using document::Source;

constexpr std::string_view kTypes = "type.googleapis.com/";

constexpr FieldRule kConfigSource[] = {
    {"path_config_source"},
    {"path", Support::kYes, "the older form of `path_config_source`"},
    {"resource_api_version", Support::kIgnored, "it is always V3"},
    {"initial_fetch_timeout", Support::kIgnored, "files are there at the start"},
    {"authorities", Support::kIgnored, "it concerns names of xDS"},
    {"api_config_source", Support::kNo, kNoXdsServer},
    {"ads", Support::kNo, kNoXdsServer},
    {"self", Support::kNo, kNoXdsServer},
};
constexpr FieldRule kPathConfigSource[] = {
    {"path"},
    {"watched_directory", Support::kYes, "the file itself is looked at in any case"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.ConfigSource", kConfigSource},
    {"envoy.config.core.v3.PathConfigSource", kPathConfigSource},
};

std::shared_ptr<Source> map_of(std::string key, std::shared_ptr<const Source> value) {
  auto made = std::make_shared<Source>();
  made->kind = Source::Kind::kMap;
  made->place = value->place;
  made->expanded = value->expanded + 1;
  made->entries.push_back({std::move(key), value->place, std::move(value)});
  return made;
}

// A resource without its "@type", as it stands in a bootstrap; nullptr if it is none of `kind`, which is said then.
std::shared_ptr<const Source> static_form(const Source& resource, size_t index, const ResourceKind& kind,
                                          Reporter& report) {
  const std::string path = "resources[" + std::to_string(index) + "]";
  const Source* const type = resource.find("@type");
  const std::string wanted = std::string(kTypes) + std::string(kind.type);
  if (type == nullptr || type->text != wanted) {
    report.error(type != nullptr ? type->place : resource.place, path + (type != nullptr ? ".@type" : ""),
                 "must have `\"@type\": " + wanted + "`" +
                     (type != nullptr ? ", has " + document::quote(type->text) : std::string()));
    return nullptr;
  }
  auto made = std::make_shared<Source>(resource);
  std::erase_if(made->entries, [](const Source::Entry& entry) { return entry.key == "@type"; });
  return made;
}

// The bootstrap that has the resources of a DiscoveryResponse in its static ones; nullptr if it is none.
std::shared_ptr<const Source> as_bootstrap(const Source& response, const ResourceKind& kind, Reporter& report) {
  if (response.kind != Source::Kind::kMap) {
    report.error(response.place, "",
                 "expected a DiscoveryResponse: a map with `resources`, a list of " + std::string(kind.field));
    return nullptr;
  }
  auto list = std::make_shared<Source>();
  list->kind = Source::Kind::kList;
  list->place = response.place;
  for (const Source::Entry& entry : response.entries) {
    if (entry.key == "version_info" || entry.key == "type_url" || entry.key == "nonce" || entry.key == "canary" ||
        entry.key == "control_plane")
      continue;  // nothing hangs on them
    if (entry.key != "resources") {
      report.error(entry.place, entry.key,
                   "no such field in envoy.service.discovery.v3.DiscoveryResponse; the file has "
                   "`resources`, a list of " +
                       std::string(kind.field));
      continue;
    }
    const Source& resources = *entry.value;
    if (resources.kind != Source::Kind::kList && resources.kind != Source::Kind::kNull) {
      report.error(resources.place, "resources", "expected a list of " + std::string(kind.field));
      continue;
    }
    list->place = resources.place;
    for (size_t i = 0; i < resources.items.size(); ++i) {
      if (auto made = static_form(*resources.items[i], i, kind, report)) {
        list->expanded += made->expanded;
        list->items.push_back(std::move(made));
      }
    }
  }
  return map_of("static_resources", map_of(std::string(kind.field), std::move(list)));
}

}  // namespace

std::span<const MessageRules> config_source_rules() {
  return kRules;
}

std::string path_of(View source, const LoadOptions& options) {
  const View path_source = source["path_config_source"];
  const std::string path = path_source ? path_source.text("path") : source.text("path");
  const bool relative = !path.empty() && !path.starts_with('/') && !options.base_dir.empty();
  return relative ? options.base_dir + "/" + path : path;
}

std::string path_of(View source, const LoadOptions& options, Reporter& report) {
  std::string path = path_of(source, options);
  const bool is_other = source.has("api_config_source") || source.has("ads") || source.has("self");
  if (path.empty() && !is_other)
    report.error(source.node(), "needs `path_config_source: {path: FILE}`, of a file with a DiscoveryResponse");
  return path;
}

bool merge_response(Tree& tree, const ResourceKind& kind, View source, const std::string& path, uint32_t file,
                    const LoadOptions& options, Reporter& report, document::Diagnostics& diagnostics) {
  if (options.on_file) options.on_file(path, LoadOptions::FileKind::kDynamic);
  auto text = read_file(path, document::kMaxSourceBytes);
  if (!text) {
    report.error(source.node(), text.error().message);
    return false;
  }
  const auto response =
      document::parse_source(*text, path.ends_with(".json"), path, diagnostics, "a DiscoveryResponse");
  if (response == nullptr) return false;
  const std::string in_bootstrap = "static_resources." + std::string(kind.field);
  Reporter own(path, diagnostics);
  own.rename(in_bootstrap, "resources");
  report.add_file(path);
  report.rename(in_bootstrap, "resources");
  if (auto made = as_bootstrap(*response, kind, own)) {
    const MessageType& type = *find_message("envoy.config.bootstrap.v3.Bootstrap");
    Tree read = check_tree(std::move(made), type, options.allow_unknown_static_fields, own);
    check_durations(read, own);
    merge_tree(tree, std::move(read), file);
  }
  return true;
}

}  // namespace inlay::config
