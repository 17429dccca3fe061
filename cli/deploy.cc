// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>

#include "cli/deploy_check.h"
#include "cli/subcommand.h"
#include "deploy/render/check.h"
#include "deploy/render/reference.h"
#include "deploy/render/target.h"
#include "deploy/render/write.h"
#include "proxy/server.h"

namespace inlay::cli {
namespace {

struct RenderOptions {
  std::string target;
  std::string values;
  std::string folder;
  bool check = false;
  deploy::WriteOptions write;
};

int fail(const Error& error) {
  std::fprintf(stderr, "inlay: %s\n", error.to_string().c_str());
  return 1;
}

int no_such_target(const std::string& name) {
  std::string names;
  for (const deploy::Target& target : deploy::targets())
    names += (names.empty() ? "" : ", ") + std::string(target.name);
  std::fprintf(stderr, "inlay: there is no target '%s'; there are %s\n", name.c_str(), names.c_str());
  return 2;
}

// Starts the plugin with its configuration, as a proxy would: what it does not take comes to light here, not in the
// pod.
Result<Unit> start_plugin(const config::Bootstrap& bootstrap) {
  proxy::ServerOptions options;
  options.engine = engine::EngineKind::kInterp;
  proxy::logging::Logger::Options quiet;
  quiet.level = "warning";
  INLAY_TRY(const auto log, proxy::logging::Logger::create(quiet));
  return proxy::Server::validate(bootstrap, options, *log);
}

// The rendering, checked. Everything that is wrong is printed.
Result<deploy::Rendering> make(const RenderOptions& options, const deploy::Target& target) {
  document::Diagnostics diagnostics;
  auto values = deploy::read_values(options.values, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!values) return std::move(values).error();
  document::Diagnostics of_target;
  config::Reporter report(options.values, of_target);
  auto rendering = target.render(*values, report);
  std::fputs(of_target.to_string().c_str(), stderr);
  if (!rendering) return rendering;
  deploy::add_made_by(*rendering, target.name, values->file);
  INLAY_TRY(deploy::Checked checked, deploy::check_rendering(target.name, *rendering, *values));
  if (checked.bootstrap) {
    INLAY_RETURN_IF_ERROR(start_plugin(*checked.bootstrap));
  }
  rendering->notes.insert(rendering->notes.end(), checked.notes.begin(), checked.notes.end());
  return rendering;
}

int compare(const deploy::Rendering& rendering, const std::string& folder) {
  const std::vector<std::string> differences = deploy::compare_rendering(rendering, folder);
  for (const std::string& difference : differences) std::printf("%s\n", difference.c_str());
  if (differences.empty()) std::printf("%s: up to date\n", folder.c_str());
  return differences.empty() ? 0 : 1;
}

int render(const RenderOptions& options) {
  const deploy::Target* target = deploy::find_target(options.target);
  if (target == nullptr) return no_such_target(options.target);
  const auto rendering = make(options, *target);
  if (!rendering) return fail(rendering.error());
  if (options.check) return compare(*rendering, options.folder);
  const auto written = deploy::write_rendering(*rendering, options.folder, options.write);
  if (!written) return fail(written.error());
  for (const std::string& path : *written) std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  for (const std::string& note : rendering->notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  return 0;
}

void add_render(CLI::App& deploy, Action& action) {
  auto options = std::make_shared<RenderOptions>();
  std::string help = "One of: ";
  std::string names;
  for (const deploy::Target& target : deploy::targets()) {
    help += "\n  " + std::string(target.name) + ": " + std::string(target.help);
    names += (names.empty() ? "" : ",") + std::string(target.name);
  }
  CLI::App* command = deploy.add_subcommand("render", "Make a target's files from a values file");
  command->add_option("target", options->target, help)->type_name("TARGET:{" + names + "}")->required();
  command->add_option("-f,--values", options->values, "Values file, YAML or JSON; docs/reference/deploy_values.md")
      ->type_name(kFile)
      ->required();
  command->add_option("-o,--output", options->folder, "Folder to write to; it is made when it is missing")
      ->type_name(kFolder)
      ->required();
  command->add_flag("--check", options->check, "Write nothing; say what differs, and fail when something does");
  command->add_flag("--force", options->write.force, "Overwrite files, too, that were not rendered");
  command->callback([options, &action] { action = [options] { return render(*options); }; });
}

// For those who change Inlay, so not in --help: prints docs/reference/deploy_values.md.
void add_values_reference(CLI::App& deploy, Action& action) {
  CLI::App* command = deploy.add_subcommand("reference", "Print the reference of the values file");
  command->group("");
  command->callback([&action] {
    action = [] {
      std::fputs(deploy::reference_page().c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace

void add_deploy(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("deploy", "From one values file to Envoy, Compose, Kubernetes and Istio");
  command->require_subcommand(1);
  add_render(*command, action);
  add_deploy_check(*command, action);
  add_values_reference(*command, action);
}

}  // namespace inlay::cli
