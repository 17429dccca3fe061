// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include "cli/run_flags.h"
#include "cli/subcommand.h"
#include "config/reference.h"

namespace inlay::cli {

// For those who change Inlay, so not in --help: prints docs/reference/envoy_config.md, or command_line.md.
void add_reference(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("reference", "Print the reference of the Envoy configuration that Inlay reads");
  command->group("");
  auto flags = std::make_shared<bool>(false);
  command->add_flag("--flags", *flags, "The reference of Envoy's flags instead");
  command->callback([flags, &action] {
    action = [flags] {
      std::fputs((*flags ? flags_page() : config::reference_page()).c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace inlay::cli
