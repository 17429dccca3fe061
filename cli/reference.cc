// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "cli/subcommand.h"
#include "proxy/config/reference.h"

namespace inlay::cli {

// For those who change Inlay, so not in --help: prints docs/reference/envoy_config.md.
void add_reference(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("reference", "Print the reference of the Envoy configuration that Inlay reads");
  command->group("");
  command->callback([&action] {
    action = [] {
      std::fputs(proxy::config::reference_page().c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace inlay::cli
