// SPDX-License-Identifier: Apache-2.0
// config/core/v3 DataSource.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

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
    {"watched_directory", Support::kYes, "of a direct response's body; elsewhere an error, since a file is read once"},
};
constexpr FieldRule kWatchedDirectory[] = {
    {"path", Support::kYes, "the file is read again when something is renamed into this directory"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.DataSource", kDataSource},
    {"envoy.config.core.v3.WatchedDirectory", kWatchedDirectory},
};

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

namespace {

std::string absolute(const std::string& name, const BuildContext& context) {
  const bool relative = !name.starts_with('/') && !context.options.base_dir.empty();
  return relative ? context.options.base_dir + "/" + name : name;
}

// A directory that is there already: Envoy does not start without it either.
std::optional<std::string> build_watched_directory(View watched, BuildContext& context) {
  if (!context.require(watched, "path")) return std::nullopt;
  std::string path = absolute(watched.text("path"), context);
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) {
    context.field_error(watched, "path", "cannot watch " + path + ": " + std::strerror(errno));
    return std::nullopt;
  }
  if (!S_ISDIR(there.st_mode))
    context.report.warning(watched["path"].node(), "is no directory: nothing will ever be renamed into it");
  return path;
}

std::optional<Data> read(View source, size_t limit, BuildContext& context) {
  if (source.has("filename")) {
    if (!context.require(source, "filename")) return std::nullopt;
    const std::string name = source.text("filename");
    const std::string path = absolute(name, context);
    if (context.options.on_file && !source.has("watched_directory")) {
      using Kind = LoadOptions::FileKind;
      context.options.on_file(path, context.is_in_secret_file(source) ? Kind::kDynamic : Kind::kPlain);
    }
    auto content = read_file(path, limit);
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
    const document::Source* given = source.node().source;
    if (given == nullptr || std::all_of(given->entries.begin(), given->entries.end(), [](const auto& entry) {
          return entry.value->kind == document::Source::Kind::kNull;
        }))
      context.error(source, "needs one of `filename`, `inline_string`, `inline_bytes`, `environment_variable`");
    return std::nullopt;
  }
  if (data.bytes.size() <= limit) return data;
  context.field_error(source, field, "is larger than " + std::to_string(limit) + " bytes");
  return std::nullopt;
}

}  // namespace

std::optional<Data> read_data_source(View source, size_t limit, BuildContext& context) {
  if (source.has("watched_directory")) {
    context.field_error(
        source, "watched_directory",
        "is valid, but Inlay follows only the body of a direct response; restart it when the file changes");
  }
  return read(source, limit, context);
}

std::optional<Data> read_data_source(View source, size_t limit, std::optional<WatchedFile>& file,
                                     BuildContext& context) {
  if (const View watched = source["watched_directory"]) {
    if (!source.has("filename")) {
      context.report.warning(watched.node(), "is ignored: there is no `filename` to follow");
    } else if (auto directory = build_watched_directory(watched, context)) {
      file = WatchedFile{absolute(source.text("filename"), context), *std::move(directory), limit};
    }
  }
  return read(source, limit, context);
}

}  // namespace inlay::config
