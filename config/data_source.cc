// SPDX-License-Identifier: Apache-2.0
// config/core/v3 DataSource.
#include <cstdlib>

#include "base/read_file.h"
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kDataSource[] = {
    {"filename", Support::kYes, "relative to the current folder, as in Envoy"},
    {"inline_bytes"},
    {"inline_string"},
    {"environment_variable"},
    {"watched_directory", Support::kNo, "restart Inlay when the file changes"},
};
constexpr MessageRules kRules[] = {{"envoy.config.core.v3.DataSource", kDataSource}};

std::optional<std::string> environment(const LoadOptions& options, const std::string& name) {
  if (options.environment) return options.environment(name);
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

std::span<const MessageRules> data_source_rules() {
  return kRules;
}

std::optional<std::string> read_environment(const LoadOptions& options, const std::string& name) {
  return environment(options, name);
}

std::optional<Data> read_data_source(View source, size_t limit, BuildContext& context) {
  if (source.has("filename")) {
    if (!context.require(source, "filename")) return std::nullopt;
    const std::string name = source.text("filename");
    const bool relative = !name.starts_with('/') && !context.options.base_dir.empty();
    auto content = read_file(relative ? context.options.base_dir + "/" + name : name, limit);
    if (content) return Data{name, *std::move(content)};
    context.field_error(source, "filename", content.error().message);
    return std::nullopt;
  }
  Data data{"<inline>", ""};
  std::string_view field;
  if (source.has("inline_string")) {
    field = "inline_string";
    data.bytes = source.text(field);
  } else if (source.has("inline_bytes")) {
    field = "inline_bytes";
    data.bytes = source.text(field);
  } else if (source.has("environment_variable")) {
    field = "environment_variable";
    if (!context.require(source, field)) return std::nullopt;
    const std::string name = source.text(field);
    auto value = environment(context.options, name);
    if (!value) {
      context.field_error(source, field, "the environment variable " + document::quote(name) + " is not set");
      return std::nullopt;
    }
    data.bytes = *std::move(value);
  } else {
    // A value of the wrong type was reported already.
    if (source.node().source == nullptr || source.node().source->entries.empty())
      context.error(source, "needs one of `filename`, `inline_string`, `inline_bytes`, `environment_variable`");
    return std::nullopt;
  }
  if (data.bytes.size() <= limit) return data;
  context.field_error(source, field, "is larger than " + std::to_string(limit) + " bytes");
  return std::nullopt;
}

}  // namespace inlay::config
