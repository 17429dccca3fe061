// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <optional>
#include <vector>

#include "base/read_file.h"
#include "config/builders.h"
#include "config/dynamic_resources.h"
#include "config/merge.h"
#include "config/redact.h"
#include "document/source.h"

namespace inlay::config {

namespace {

Error failure(const document::Diagnostics& diagnostics, const std::string& name, ErrorCode code) {
  const size_t errors = diagnostics.errors();
  return Error{code, std::to_string(errors) + (errors == 1 ? " error" : " errors") + " in the configuration", name};
}

struct Text {
  std::string_view text;
  std::string name;
};

// The later texts are merged into the first.
Result<Bootstrap> load(const std::vector<Text>& texts, const LoadOptions& options, document::Diagnostics& diagnostics) {
  const std::string& name = texts.front().name;
  Reporter report(name, diagnostics);
  std::optional<Tree> tree;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto source = document::parse_source(texts[i].text, texts[i].name.ends_with(".json"), texts[i].name, diagnostics);
    if (source == nullptr) return failure(diagnostics, texts[i].name, ErrorCode::kInvalidArgument);
    Reporter own(texts[i].name, diagnostics);
    const MessageType& type = *find_message("envoy.config.bootstrap.v3.Bootstrap");
    Tree read = check_tree(std::move(source), type, options.allow_unknown_static_fields, own);
    check_durations(read, own);
    if (!tree) {
      tree = std::move(read);
      continue;
    }
    report.add_file(texts[i].name);
    merge_tree(*tree, std::move(read), static_cast<uint32_t>(i));
  }
  SecretFiles secret_files =
      read_dynamic_resources(*tree, static_cast<uint32_t>(texts.size()), options, report, diagnostics);
  check_support(*tree, report);
  BuildContext context{options, report, {}};
  context.secret_files = std::move(secret_files);
  Bootstrap bootstrap = build_bootstrap(*tree, context);
  bootstrap.left_out = std::move(context.left_out);
  diagnostics.sort();
  if (diagnostics.errors() != 0) return failure(diagnostics, name, ErrorCode::kInvalidArgument);
  bootstrap.redacted_json = redacted_json(*tree);
  return bootstrap;
}

Result<std::string> read_config(const std::string& path, document::Diagnostics& diagnostics) {
  auto text = read_file(path, document::kMaxSourceBytes);
  if (!text) {
    diagnostics.add({document::Diagnostic::Severity::kError, path, {}, "", text.error().message});
    return failure(diagnostics, path, ErrorCode::kIo);
  }
  for (std::string_view binary : {".pb", ".pb_text"}) {
    if (!path.ends_with(binary)) continue;
    diagnostics.add({document::Diagnostic::Severity::kError,
                     path,
                     {},
                     "",
                     "Envoy reads " + std::string(binary) + " files, but Inlay does not yet; use YAML or JSON"});
    return failure(diagnostics, path, ErrorCode::kUnsupported);
  }
  return text;
}

}  // namespace

Result<Bootstrap> load_text(std::string_view text, const std::string& name, const LoadOptions& options,
                            document::Diagnostics& diagnostics) {
  return load({{text, name}}, options, diagnostics);
}

Result<Bootstrap> load_file(const std::string& path, const LoadOptions& options, document::Diagnostics& diagnostics) {
  INLAY_TRY(const std::string text, read_config(path, diagnostics));
  return load({{text, path}}, options, diagnostics);
}

Result<Bootstrap> load_file_and_text(const std::string& path, std::string_view text, const std::string& name,
                                     const LoadOptions& options, document::Diagnostics& diagnostics) {
  INLAY_TRY(const std::string in_file, read_config(path, diagnostics));
  return load({{in_file, path}, {text, name}}, options, diagnostics);
}

}  // namespace inlay::config
