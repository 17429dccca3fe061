// SPDX-License-Identifier: Apache-2.0
#include "cli/completion/command_tree.h"

namespace inlay::cli {
namespace {

constexpr const char* kBegin = R"(# Completion of inlay's command line in fish; made by `inlay completion fish`.
function __inlay_in --description 'whether the subcommand is this one'
    set -l words (commandline -opc)
    set -l end (math 1 + (count $argv))
    test (count $words) -ge $end; and test "$words[2..$end]" = "$argv"
end
function __inlay_first --description 'whether there is no subcommand yet'
    test (count (commandline -opc)) -eq 1
end
complete -c inlay -f
)";

std::string in_quotes(const std::string& text) {
  return "'" + backslashed(text, "\\'") + "'";
}

std::string line(const std::string& condition, const std::string& what, const std::string& description) {
  return "complete -c inlay -n " + in_quotes(condition) + what +
         (description.empty() ? "" : " -d " + in_quotes(description)) + "\n";
}

// What completes a value.
std::string values_of(const CommandOption& option) {
  if (option.takes == Takes::kChoice) return " -x -a " + in_quotes(joined(option.choices));
  return option.takes == Takes::kPath ? " -r -F" : option.takes == Takes::kText ? " -x" : "";
}

std::string names_of(const CommandOption& option) {
  std::string text;
  for (const std::string& name : option.names) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return text;
}

std::string lines(const Command& command, const std::vector<Command>& tree) {
  std::string condition = command.path.empty() ? "__inlay_first" : "__inlay_in " + joined(command.path);
  for (const size_t index : command.subcommands) {
    if (!command.path.empty()) condition += "; and not __inlay_in " + joined(tree[index].path);
  }
  std::string text;
  for (const size_t index : command.subcommands) {
    text += line(condition, " -a " + tree[index].name(), tree[index].description);
  }
  for (const CommandOption& option : command.options) {
    text += line(condition, names_of(option) + values_of(option), option.description);
  }
  if (command.subcommands.empty() && !command.positionals.empty()) {
    const CommandOption& first = command.positionals.front();
    if (first.takes == Takes::kPath) text += line(condition, " -F", "");
    if (first.takes == Takes::kChoice) text += line(condition, " -a " + in_quotes(joined(first.choices)), "");
  }
  return text;
}

}  // namespace

std::string fish_completion(const std::vector<Command>& tree) {
  std::string text = kBegin;
  for (const Command& command : tree) text += lines(command, tree);
  return text;
}

}  // namespace inlay::cli
