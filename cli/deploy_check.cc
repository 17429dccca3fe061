// SPDX-License-Identifier: Apache-2.0
#include "cli/deploy_check.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/temporary_directory.h"
#include "cli/pull_image.h"
#include "deploy/check/check_resources.h"
#include "deploy/render/target.h"
#include "document/scalars.h"
#include "package/read_image.h"

namespace inlay::cli {
namespace {

struct CheckOptions {
  std::string path;
  std::string values;
  std::string from;
  std::string to;
  bool json = false;
};

int fail(const Error& error) {
  std::fprintf(stderr, "inlay: %s\n", error.to_string().c_str());
  return 2;
}

std::optional<deploy::Values> read_values(const std::string& path) {
  document::Diagnostics diagnostics;
  auto values = deploy::read_values(path, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!values) {
    fail(values.error());
    return std::nullopt;
  }
  return *std::move(values);
}

// What the values give for a cluster, as TARGET/FILE.
Result<Unit> render_all(const deploy::Values& values, deploy::Manifests& manifests) {
  for (const std::string_view name : {"kubernetes", "istio"}) {
    document::Diagnostics diagnostics;
    config::Reporter report(values.file, diagnostics);
    auto rendering = deploy::find_target(name)->render(values, report);
    std::fputs(diagnostics.to_string().c_str(), stderr);
    if (!rendering) return rendering.error();
    for (const deploy::File& file : rendering->files) {
      const std::string path = std::string(name) + "/" + file.name;
      if (file.binary) {
        manifests.modules.push_back({path, file.content.size()});
      } else {
        deploy::add_manifest(path, file.content, manifests, diagnostics);
      }
    }
  }
  return Unit{};
}

// The 36 of "1.36" and "1.36.4"; nothing for what is no version.
std::optional<uint32_t> minor_version(const std::string& text) {
  if (text.empty()) return 0;
  if (!text.starts_with("1.")) return std::nullopt;
  const auto minor = document::parse_uint(text.substr(2, text.find('.', 2) - 2));
  if (!minor || *minor == 0 || *minor > 999) return std::nullopt;
  return static_cast<uint32_t>(*minor);
}

bool is_image(const std::string& path) {
  return path.ends_with(".tar") || std::filesystem::exists(std::filesystem::path(path) / "oci-layout");
}

bool is_reference(const std::string& path) {
  return path.starts_with("oci://");
}

// Whether Istio's agent and Envoy Gateway would find a module in an image layout, whoever made it, which is called
// `name`.
deploy::Findings check_image(const std::string& path, const std::string& name) {
  deploy::Findings findings;
  const auto module = package::load_module(path, "");
  for (const std::string& fault : module ? module->not_pulled : std::vector<std::string>())
    findings.add(deploy::Severity::kError, "image", {name, {}},
                 "the image " + module->image + " will not be pulled: " + fault,
                 "Istio's agent and Envoy Gateway look at the types of a manifest and its layers, and find no module",
                 "make it with `inlay package`, out of the module that `inlay unpack` takes out of this one");
  if (module && module->not_pulled.empty())
    findings.add(deploy::Severity::kNote, "image", {name, {}},
                 "the image " + module->image + " has a module of " + std::to_string(module->bytes.size()) + " bytes",
                 "it stands where Istio's agent and Envoy Gateway look for one, and every digest is right",
                 "push it with its digest kept, and name that in `module.oci`");
  else if (!module)
    findings.add(
        deploy::Severity::kError, "image", {name, {}}, module.error().message,
        "Istio's agent and Envoy Gateway take plugin.wasm out of the last layer, or the one layer of the artifact form",
        "make it with `inlay package`");
  return findings;
}

// The same of an image in a registry.
Result<deploy::Findings> check_registry(const std::string& reference) {
  const TemporaryDirectory scratch("inlay-check-");
  if (scratch.path().empty()) return Error{ErrorCode::kIo, "cannot make a folder for it", reference};
  INLAY_RETURN_IF_ERROR(pull_image(reference, scratch.file("image")));
  deploy::Findings findings = check_image(scratch.file("image"), reference);
  if (reference.find("@sha256:") == std::string::npos)
    findings.add(deploy::Severity::kWarning, "module-source", {reference, {}},
                 "what the tag names can become another module", "a tag is moved by whoever may push",
                 "name the digest: `oci://registry/name@sha256:...`");
  return findings;
}

int print(const deploy::Findings& findings, bool json) {
  std::fputs((json ? to_json(findings) : to_text(findings)).c_str(), stdout);
  return findings.count(deploy::Severity::kError) == 0 ? 0 : 1;
}

int check(const CheckOptions& options) {
  const auto from = minor_version(options.from);
  const auto to = minor_version(options.to);
  if (!from || !to || (*from == 0) != (*to == 0)) {
    std::fputs("inlay: --from and --to go together, and are versions of Envoy such as 1.36 and 1.40\n", stderr);
    return 2;
  }
  if (is_reference(options.path)) {
    auto findings = check_registry(options.path);
    if (!findings) return fail(findings.error());
    findings->sort();
    return print(*findings, options.json);
  }
  if (is_image(options.path)) return print(check_image(options.path, options.path), options.json);
  deploy::Manifests manifests;
  std::optional<deploy::Values> values;
  const bool folder = std::filesystem::is_directory(options.path);
  if (!folder && !options.values.empty()) {
    std::fputs("inlay: --values goes with a folder\n", stderr);
    return 2;
  }
  if (!folder || !options.values.empty()) {
    values = read_values(folder ? options.values : options.path);
    if (!values) return 2;
  }
  document::Diagnostics diagnostics;
  const auto read = folder ? deploy::read_folder(options.path, manifests, diagnostics) : render_all(*values, manifests);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!read) return fail(read.error());
  if (diagnostics.errors() != 0) return 2;
  const deploy::Findings findings = deploy::check_manifests({manifests, values ? &*values : nullptr, *from, *to});
  return print(findings, options.json);
}

}  // namespace

void add_deploy_check(CLI::App& deploy, Action& action) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = deploy.add_subcommand("check",
                                            "Say before a rollout what will go wrong in the mesh; exit status 1 if "
                                            "something will, 2 if it could not be read");
  command
      ->add_option(
          "path", options->path,
          "A folder of manifests, whoever wrote them, a values file, of which is checked what it is rendered "
          "to, an OCI image layout (folder or tar file), or an image of a registry, oci://REGISTRY/NAME@DIGEST")
      ->type_name(kFile)
      ->required();
  command
      ->add_option("--values", options->values,
                   "With a folder: the values file whose destinations its rules must keep to")
      ->type_name(kFile);
  command->add_option("--from", options->from,
                      "With --to: say what changes between two versions of Envoy, such as 1.36");
  command->add_option("--to", options->to, "See --from");
  command->add_flag("--json", options->json, "One JSON object (docs/reference/deploy_check.md) instead of text");
  command->callback([options, &action] { action = [options] { return check(*options); }; });
}

}  // namespace inlay::cli
