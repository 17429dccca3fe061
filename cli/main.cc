// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <string>

#include "cli/subcommand.h"

namespace inlay::cli {
namespace {

// In the order in which --help shows them.
constexpr AddSubcommand kSubcommands[] = {
    add_run,  add_validate, add_compile, add_inspect,   add_package, add_unpack,
    add_echo, add_provider, add_deploy,  add_reference, add_version,
};

std::string names_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* sub : app.get_subcommands({})) names += (names.empty() ? "" : ", ") + sub->get_name();
  return names;
}

int no_such(const CLI::App& app, const char* name) {
  std::fprintf(stderr, "inlay: there is no subcommand '%s'; there are %s\n", name, names_of(app).c_str());
  return 2;
}

int run(int argc, char** argv) {
  CLI::App app("Inlay runs proxy-wasm filters: the envoy.yaml that Envoy takes, any proxy-wasm module, no Envoy.",
               "inlay");
  app.footer("`inlay SUBCOMMAND --help` shows the options of one.");
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "inlay " INLAY_VERSION);
  Action action;
  for (const AddSubcommand add : kSubcommands) add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0 && argv[1][0] != '-' && app.get_subcommands().empty()) return no_such(app, argv[1]);
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (action) return action();
  std::fprintf(stderr, "inlay: a subcommand is missing: %s\n", names_of(app).c_str());
  return 2;
}

}  // namespace
}  // namespace inlay::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that goes away is an error code of write()
  if (argc < 2) {
    static char help[] = "--help";
    char* with_help[] = {argv[0], help, nullptr};
    inlay::cli::run(2, with_help);
    return 2;
  }
  return inlay::cli::run(argc, argv);
}
