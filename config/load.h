// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loader: an unmodified Envoy v3 bootstrap (YAML or JSON) to the typed model.
//
//     Diagnostics diagnostics;
//     auto bootstrap = load_file("envoy.yaml", {}, diagnostics);
//     std::cerr << diagnostics.to_string();        // warnings too
//     if (!bootstrap) return 1;
//
// One run reports every fault of the file, each with file:line:column, the field's path, what is wrong and what would
// be right. Warnings name what is accepted without effect. The model of a file without errors is complete: defaults are
// filled in, wasm modules and data sources are read.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "document/diagnostics.h"

namespace inlay::config {

struct LoadOptions {
  // --allow-unknown-static-fields: a field that Envoy does not have is a warning.
  bool allow_unknown_static_fields = false;
  // Relative file names in the configuration are relative to this folder; empty: the current one, as in Envoy.
  std::string base_dir;
  // --service-node and --service-cluster say what the file may leave open.
  bool node_is_given = false;
  // Called with the name of each file that the configuration names, whether it can be read or not: modules,
  // certificates, bodies, but for those that have a watched_directory. kDynamic: of dynamic_resources, which has to be
  // read again when it changes. Empty: nobody wants to know.
  enum class FileKind : uint8_t { kPlain, kDynamic };
  std::function<void(const std::string& path, FileKind kind)> on_file;
  // Filters, listener filters and access loggers that Inlay lacks and that take no part, by their `name` or the name of
  // their type; "safe" stands for those that decide nothing about access or content (config/leave_out.h).
  std::vector<std::string> leave_out;
  // Reads an environment variable; the process's own when empty.
  std::function<std::optional<std::string>(const std::string&)> environment;
};

// All three read files (the configuration's, wasm modules, data sources) and block for it; there is no other side
// effect. Any thread. The error is kInvalidArgument (kIo when the configuration's file cannot be read) and counts the
// diagnostics, which hold the details; warnings are added on success too. A text is at most document::kMaxSourceBytes.
Result<Bootstrap> load_file(const std::string& path, const LoadOptions& options, document::Diagnostics& diagnostics);
// A file, and a text that is merged into it as Envoy does with its --config-yaml (config/merge.h).
Result<Bootstrap> load_file_and_text(const std::string& path, std::string_view text, const std::string& name,
                                     const LoadOptions& options, document::Diagnostics& diagnostics);
// `name` is the file's name for diagnostics; a name that ends in ".json" says that the text is JSON.
Result<Bootstrap> load_text(std::string_view text, const std::string& name, const LoadOptions& options,
                            document::Diagnostics& diagnostics);

}  // namespace inlay::config
