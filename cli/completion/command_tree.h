// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the command line takes, read off the declarations that the program parses by: completions and the manual page
// are made from it, and can name nothing else.

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace inlay::cli {

// What comes behind an option, or in a positional's place.
enum class Takes : uint8_t {
  kNothing,  // a flag
  kChoice,   // one of `choices`
  kPath,     // a file or a folder
  kText,
};

struct CommandOption {
  std::vector<std::string> names;  // with their dashes, short ones first; a positional's one name without any
  std::string description;
  Takes takes = Takes::kNothing;
  std::vector<std::string> choices;
  std::string placeholder;  // what stands for the value: TEXT, FILE
  bool repeats = false;
};

struct Command {
  std::vector<std::string> path;  // {"deploy", "render"}; empty: the program itself
  std::string description;
  std::vector<CommandOption> options;
  std::vector<CommandOption> positionals;
  std::vector<size_t> subcommands;  // indices into the tree
  const std::string& name() const { return path.back(); }
};

// The program at index 0, then each subcommand behind its parent. Without what --help leaves out.
std::vector<Command> command_tree(const CLI::App& app);

// `path` with blanks between.
std::string joined(const std::vector<std::string>& words, const char* separator = " ");

// `text` with `\` before each of `characters`.
std::string backslashed(const std::string& text, const std::string& characters);

// Each prints a shell's completion, to be kept where that shell looks for it.
std::string bash_completion(const std::vector<Command>& tree);
std::string zsh_completion(const std::vector<Command>& tree);
std::string fish_completion(const std::vector<Command>& tree);

// inlay(1), for man(7)'s macros.
std::string manual_page(const std::vector<Command>& tree, const std::string& version);

}  // namespace inlay::cli
