// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>

#include "cli/completion/command_tree.h"
#include "cli/run_flags.h"
#include "cli/subcommand.h"
#include "config/reference.h"

namespace inlay::cli {

// For those who change Inlay, so not in --help: prints docs/reference/envoy_config.md, or command_line.md, or the
// manual page that is installed.
void add_reference(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("reference", "Print the reference of the Envoy configuration that Inlay reads");
  command->group("");
  auto flags = std::make_shared<bool>(false);
  command->add_flag("--flags", *flags, "The reference of Envoy's flags instead");
  auto manual = std::make_shared<bool>(false);
  command->add_flag("--manual", *manual, "The manual page inlay(1) instead");
  command->callback([flags, manual, &app, &action] {
    action = [flags, manual, &app] {
      const std::string page = *manual  ? manual_page(command_tree(app), INLAY_VERSION)
                               : *flags ? flags_page()
                                        : config::reference_page();
      std::fputs(page.c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace inlay::cli
