// SPDX-License-Identifier: Apache-2.0
#include "cli/completion/command_tree.h"

namespace inlay::cli {
namespace {

// As text of a line of roff's; one that would be taken for a request is kept from it.
std::string roff(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

std::string option_text(const CommandOption& option) {
  std::string text = ".TP\n\\fB" + roff(joined(option.names, ", ")) + "\\fR";
  if (option.takes != Takes::kNothing && option.names.front().starts_with('-')) {
    text += " \\fI" + roff(option.takes == Takes::kChoice ? joined(option.choices, "|") : option.placeholder) + "\\fR";
  }
  return text + "\n" + roff(option.description) + "\n";
}

std::string command_text(const Command& command) {
  std::string text = ".SS \"inlay " + roff(joined(command.path)) + "\"\n" + roff(command.description) + ".\n";
  for (const CommandOption& positional : command.positionals) text += option_text(positional);
  for (const CommandOption& option : command.options) {
    if (option.names.back() != "--help") text += option_text(option);
  }
  return text;
}

}  // namespace

std::string manual_page(const std::vector<Command>& tree, const std::string& version) {
  std::string text = ".TH INLAY 1 \"\" \"inlay " + roff(version) +
                     "\"\n.SH NAME\ninlay \\- run, test and package proxy\\-wasm filters\n"
                     ".SH SYNOPSIS\n\\fBinlay\\fR \\fISUBCOMMAND\\fR [\\fIOPTION\\fR...]\n"
                     ".SH DESCRIPTION\n" +
                     roff(tree.front().description) + "\n.SH SUBCOMMANDS\n";
  for (const Command& command : tree) {
    if (!command.path.empty() && command.subcommands.empty()) text += command_text(command);
  }
  return text;
}

}  // namespace inlay::cli
