// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "cli/subcommand.h"

namespace inlay::cli {

void add_version(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->callback([&action] {
    action = [] {
      std::printf("inlay %s\n", INLAY_VERSION);
      return 0;
    };
  });
}

}  // namespace inlay::cli
