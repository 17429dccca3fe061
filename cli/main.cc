// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/subcommand.h"

namespace inlay::cli {
namespace {

// In the order in which --help shows them.
constexpr AddSubcommand kSubcommands[] = {
    add_run,    add_validate, add_test,     add_new,    add_compile,   add_inspect,    add_package,
    add_unpack, add_echo,     add_provider, add_deploy, add_reference, add_completion, add_version,
};

std::string names_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* sub : app.get_subcommands({})) names += (names.empty() ? "" : ", ") + sub->get_name();
  return names;
}

// The word where a subcommand's name should be, and of which command; nothing when there is no such mistake.
struct Misnamed {
  const CLI::App* of = nullptr;
  const char* name = nullptr;
};
Misnamed misnamed(const CLI::App& app, int argc, char** argv) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc && argv[i][0] != '-' && !at->get_subcommands({}).empty(); ++i) {
    if (at->get_subcommands().empty()) return {at, argv[i]};
    at = at->get_subcommands().front();
  }
  return {};
}

// What could not be printed is an error: the disk behind `inlay inspect ... > file` may be full.
int flushed(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  std::fprintf(stderr, "inlay: cannot write to the standard output: %s\n", std::strerror(errno));
  return status == 0 ? 1 : status;
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
    if (error.get_exit_code() == 0) return flushed(app.exit(error));
    if (const Misnamed wrong = misnamed(app, argc, argv); wrong.of != nullptr) {
      std::fprintf(stderr, "inlay: there is no subcommand '%s'; there are %s\n", wrong.name,
                   names_of(*wrong.of).c_str());
      return 2;
    }
    app.exit(error);
    return 2;
  }
  if (action) return flushed(action());
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
