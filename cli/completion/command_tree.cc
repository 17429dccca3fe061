// SPDX-License-Identifier: Apache-2.0
#include "cli/completion/command_tree.h"

#include "cli/subcommand.h"

namespace inlay::cli {
namespace {

// CLI11 keeps what an option may be in the name of its type only: TEXT:{serve,validate}.
std::vector<std::string> choices_of(const std::string& type) {
  const size_t begin = type.find(":{");
  if (begin == std::string::npos || type.back() != '}') return {};
  return CLI::detail::split(type.substr(begin + 2, type.size() - begin - 3), ',');
}

CommandOption option_of(const CLI::Option& option) {
  CommandOption result;
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  if (result.names.empty()) result.names.push_back(option.get_name(true));
  result.description = option.get_description();
  result.repeats = option.get_items_expected_max() > 1;
  if (option.get_items_expected_max() == 0) return result;
  const std::string type = option.get_type_name();
  result.placeholder = type.substr(0, type.find(':'));
  result.choices = choices_of(type);
  result.takes = !result.choices.empty()                                        ? Takes::kChoice
                 : result.placeholder == kFile || result.placeholder == kFolder ? Takes::kPath
                                                                                : Takes::kText;
  return result;
}

size_t add(const CLI::App& app, const std::vector<std::string>& path, std::vector<Command>& tree) {
  const size_t index = tree.size();
  Command& command = tree.emplace_back();
  command.path = path;
  command.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->nonpositional() ? command.options : command.positionals).push_back(option_of(*option));
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
    std::vector<std::string> below = path;
    below.push_back(sub->get_name());
    const size_t added = add(*sub, below, tree);
    tree[index].subcommands.push_back(added);
  }
  return index;
}

}  // namespace

std::vector<Command> command_tree(const CLI::App& app) {
  std::vector<Command> tree;
  add(app, {}, tree);
  return tree;
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : separator) + word;
  return all;
}

std::string backslashed(const std::string& text, const std::string& characters) {
  std::string result;
  for (const char c : text) {
    if (characters.find(c) != std::string::npos) result += '\\';
    result += c;
  }
  return result;
}

}  // namespace inlay::cli
