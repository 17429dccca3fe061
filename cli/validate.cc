// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/subcommand.h"
#include "config/load.h"
#include "proxy/server.h"

namespace inlay::cli {
namespace {

struct ValidateOptions {
  std::string path;
  bool fetch_remote_code = false;
  config::LoadOptions load;
};

constexpr std::chrono::seconds kStartBudget{60};

int validate(ValidateOptions& options) {
  document::Diagnostics diagnostics;
  const auto bootstrap = config::load_file(options.path, options.load, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!bootstrap) {
    std::fprintf(stderr, "%s\n", bootstrap.error().to_string().c_str());
    return 1;
  }
  // The modules, too, and what the plugins say to their configuration; no need to compile for that.
  proxy::ServerOptions server;
  server.engine = engine::EngineKind::kInterp;
  server.fetch_remote_code = options.fetch_remote_code;
  // Nobody waits for an answer, and the interpreter is slow: a start that takes its time is not wrong.
  server.limits.call_budget = kStartBudget;
  const auto log = proxy::logging::Logger::create({});
  if (!log) return 1;
  if (const auto valid = proxy::Server::validate(*bootstrap, server, **log); !valid) {
    std::fprintf(stderr, "%s: error: %s\n", options.path.c_str(), valid.error().to_string().c_str());
    return 1;
  }
  if (bootstrap->left_out.empty()) {
    std::printf("%s: valid\n", options.path.c_str());
    return 0;
  }
  std::printf("%s: valid, without %zu that --leave-out names:\n", options.path.c_str(), bootstrap->left_out.size());
  for (const std::string& line : bootstrap->left_out) std::printf("  %s\n", line.c_str());
  return 0;
}

}  // namespace

void add_validate(CLI::App& app, Action& action) {
  auto options = std::make_shared<ValidateOptions>();
  CLI::App* command = app.add_subcommand(
      "validate", "Check an Envoy bootstrap file, its modules and its plugins, and report what is wrong");
  command->add_option("-c,--config-path", options->path, "Envoy v3 bootstrap, YAML or JSON")
      ->type_name(kFile)
      ->required();
  command->add_flag("--allow-unknown-static-fields", options->load.allow_unknown_static_fields,
                    "Warn about fields that Envoy does not have, instead of failing");
  command
      ->add_option(
          "--leave-out", options->load.leave_out,
          "NAME of a filter, listener filter or access logger that Inlay lacks, or its type: it takes no part; "
          "\"safe\": those that decide nothing about access or content. Any number of times")
      ->expected(1)
      ->take_all();
  command->add_flag("--fetch-remote-code", options->fetch_remote_code,
                    "Fetch remote code that is not cached, instead of leaving its plugin unchecked");
  command->callback([options, &action] { action = [options] { return validate(*options); }; });
}

}  // namespace inlay::cli
