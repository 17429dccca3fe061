// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>

#include "cli/subcommand.h"

namespace inlay::cli {
namespace {

// In the order in which --help shows them.
constexpr AddSubcommand kSubcommands[] = {
    add_run, add_validate, add_compile, add_echo, add_provider, add_reference, add_version,
};

int run(int argc, char** argv) {
  CLI::App app("Inlay runs proxy-wasm filters: the envoy.yaml that Envoy takes, any proxy-wasm module, no Envoy.",
               "inlay");
  app.footer("`inlay SUBCOMMAND --help` shows the options of one.");
  app.require_subcommand(1);
  Action action;
  for (const AddSubcommand add : kSubcommands) add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return action();
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
