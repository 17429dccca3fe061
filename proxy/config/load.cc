// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/load.h"

#include "proxy/config/builders.h"
#include "proxy/config/read_file.h"
#include "proxy/config/redact.h"
#include "proxy/config/source.h"

namespace inlay::proxy::config {

namespace {

Error failure(const Diagnostics& diagnostics, const std::string& name, ErrorCode code) {
  const size_t errors = diagnostics.errors();
  return Error{code, std::to_string(errors) + (errors == 1 ? " error" : " errors") + " in the configuration", name};
}

// Every duration of the tree must not be negative: Envoy has no use for one.
void check_durations(const Tree& tree, Reporter& report) {
  for (const TreeNode& node : tree.nodes)
    if (node.duration.count() < 0) report.error(node, "a duration must not be negative");
}

}  // namespace

Result<Bootstrap> load_text(std::string_view text, const std::string& name, const LoadOptions& options,
                            Diagnostics& diagnostics) {
  auto source = parse_source(text, name.ends_with(".json"), name, diagnostics);
  if (source == nullptr) return failure(diagnostics, name, ErrorCode::kInvalidArgument);
  Reporter report(name, diagnostics);
  const MessageType& type = *find_message("envoy.config.bootstrap.v3.Bootstrap");
  const Tree tree = check_tree(std::move(source), type, options.allow_unknown_static_fields, report);
  check_durations(tree, report);
  check_support(tree, report);
  BuildContext context{options, report, {}};
  Bootstrap bootstrap = build_bootstrap(tree, context);
  diagnostics.sort();
  if (diagnostics.errors() != 0) return failure(diagnostics, name, ErrorCode::kInvalidArgument);
  bootstrap.redacted_json = redacted_json(tree);
  return bootstrap;
}

Result<Bootstrap> load_file(const std::string& path, const LoadOptions& options, Diagnostics& diagnostics) {
  auto text = read_file(path, kMaxSourceBytes);
  if (!text) {
    diagnostics.add({Diagnostic::Severity::kError, path, {}, "", text.error().message});
    return failure(diagnostics, path, ErrorCode::kIo);
  }
  for (std::string_view binary : {".pb", ".pb_text"}) {
    if (!path.ends_with(binary)) continue;
    diagnostics.add({Diagnostic::Severity::kError,
                     path,
                     {},
                     "",
                     "Envoy reads " + std::string(binary) + " files, but Inlay does not yet; use YAML or JSON"});
    return failure(diagnostics, path, ErrorCode::kUnsupported);
  }
  return load_text(*text, path, options, diagnostics);
}

}  // namespace inlay::proxy::config
