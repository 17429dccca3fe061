// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>

#include "cli/completion/command_tree.h"
#include "cli/subcommand.h"

namespace inlay::cli {

void add_completion(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("completion", "Print what completes this command line in a shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "Whose: docs/guide/install.md says where to put it")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([shell, &app, &action] {
    action = [shell, &app] {
      const auto tree = command_tree(app);
      const std::string text = *shell == "bash"  ? bash_completion(tree)
                               : *shell == "zsh" ? zsh_completion(tree)
                                                 : fish_completion(tree);
      std::fputs(text.c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace inlay::cli
