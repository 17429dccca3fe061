// SPDX-License-Identifier: Apache-2.0
#include "cli/completion/command_tree.h"

namespace inlay::cli {
namespace {

// What can stand at the end of a line that the cursor is at.
constexpr const char* kBegin = R"(# Completion of inlay's command line in bash; made by `inlay completion bash`.
_inlay_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }
_inlay_paths() {
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
  compopt -o filenames 2> /dev/null
}
_inlay() {
  local word=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) command='' i
  # bash takes `--mode=serve` for three words.
  if [[ $word == '=' ]]; then word='' at=$COMP_CWORD; fi
  if [[ ${COMP_WORDS[at]} == '=' ]]; then at=$((at - 1)); fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$command ${COMP_WORDS[i]}" in
)";

constexpr const char* kEnd = R"(  esac
}
complete -F _inlay inlay
)";

std::string in_quotes(const std::string& words) {
  return "'" + words + "'";
}

// What completes `option`'s value, or a positional.
std::string values_of(const CommandOption& option) {
  if (option.takes == Takes::kChoice) return "_inlay_words " + in_quotes(joined(option.choices)) + " \"$word\"";
  return option.takes == Takes::kPath ? "_inlay_paths \"$word\"" : ":";
}

// The branches of a case over "COMMAND OPTION", for options that have a value.
std::string value_branches(const Command& command) {
  std::string text;
  for (const CommandOption& option : command.options) {
    if (option.takes == Takes::kNothing) continue;
    std::vector<std::string> patterns;
    for (const std::string& name : option.names) patterns.push_back(in_quotes(joined(command.path) + " " + name));
    text += "    " + joined(patterns, " | ") + ") " + values_of(option) + "; return ;;\n";
  }
  return text;
}

std::string command_branch(const Command& command, const std::vector<Command>& tree) {
  std::vector<std::string> options;
  for (const CommandOption& option : command.options)
    options.insert(options.end(), option.names.begin(), option.names.end());
  std::vector<std::string> subcommands;
  for (const size_t index : command.subcommands) subcommands.push_back(tree[index].name());
  std::string other = ":";
  if (!subcommands.empty()) {
    other = "_inlay_words " + in_quotes(joined(subcommands)) + " \"$word\"";
  } else if (!command.positionals.empty()) {
    other = values_of(command.positionals.front());
  }
  return "    " + in_quotes(joined(command.path)) + ") if [[ $word == -* ]]; then _inlay_words " +
         in_quotes(joined(options)) + " \"$word\"; else " + other + "; fi ;;\n";
}

}  // namespace

std::string bash_completion(const std::vector<Command>& tree) {
  std::string text = kBegin;
  std::vector<std::string> paths;
  for (const Command& command : tree) {
    if (command.path.empty()) continue;
    paths.push_back(in_quotes((command.path.size() == 1 ? " " : "") + joined(command.path)));
  }
  text += "      " + joined(paths, " | ") + ") command+=\"${command:+ }${COMP_WORDS[i]}\" ;;\n    esac\n  done\n";
  text += "  case \"$command ${COMP_WORDS[at]}\" in\n";
  for (const Command& command : tree) text += value_branches(command);
  text += "  esac\n  case $command in\n";
  for (const Command& command : tree) text += command_branch(command, tree);
  return text + kEnd;
}

}  // namespace inlay::cli
