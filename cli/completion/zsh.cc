// SPDX-License-Identifier: Apache-2.0
#include "cli/completion/command_tree.h"

namespace inlay::cli {
namespace {

// Within single quotes of zsh's.
std::string in_quotes(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string function_of(const Command& command) {
  return "_inlay" + (command.path.empty() ? "" : "_" + joined(command.path, "_"));
}

// ":what:how" behind a specification of _arguments.
std::string values_of(const CommandOption& option) {
  const std::string what = ":" + backslashed(option.placeholder, ":\\");
  if (option.takes == Takes::kChoice) return what + ":(" + joined(option.choices) + ")";
  return what + (option.takes == Takes::kPath ? ":_files" : ": ");
}

// The arguments of _arguments for an option: one for each of its names, which exclude each other.
std::string specifications(const CommandOption& option) {
  const std::string before = option.repeats ? "*" : "(" + joined(option.names) + ")";
  std::string text;
  for (const std::string& name : option.names) {
    std::string specification = before + name;
    if (option.takes != Takes::kNothing) specification += name.starts_with("--") ? "=" : "+";
    specification += "[" + backslashed(option.description, "[]\\") + "]";
    if (option.takes != Takes::kNothing) specification += values_of(option);
    text += " \\\n    " + in_quotes(specification);
  }
  return text;
}

std::string with_subcommands(const Command& command, const std::vector<Command>& tree) {
  std::string text = " \\\n    '1: :->subcommand' '*:: :->rest'\n  case $state in\n    subcommand)\n      names=(";
  for (const size_t index : command.subcommands) {
    text += "\n        " + in_quotes(tree[index].name() + ":" + backslashed(tree[index].description, ":\\"));
  }
  text += ")\n      _describe subcommand names ;;\n    rest)\n      case $line[1] in\n";
  for (const size_t index : command.subcommands) {
    text += "        " + tree[index].name() + ") " + function_of(tree[index]) + " ;;\n";
  }
  return text + "      esac ;;\n  esac\n";
}

std::string function(const Command& command, const std::vector<Command>& tree) {
  std::string text = function_of(command) + "() {\n  local state line\n  local -a names\n  _arguments -C";
  for (const CommandOption& option : command.options) text += specifications(option);
  if (!command.subcommands.empty()) return text + with_subcommands(command, tree) + "}\n";
  for (const CommandOption& positional : command.positionals) {
    text += " \\\n    " + in_quotes((positional.repeats ? "*" : "") + values_of(positional));
  }
  return text + "\n}\n";
}

}  // namespace

std::string zsh_completion(const std::vector<Command>& tree) {
  std::string text = "#compdef inlay\n# Completion of inlay's command line in zsh; made by `inlay completion zsh`.\n";
  for (const Command& command : tree) text += function(command, tree);
  return text + "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _inlay \"$@\"; else compdef _inlay inlay; fi\n";
}

}  // namespace inlay::cli
