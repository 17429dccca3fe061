// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every flag of Envoy's (1.36 to 1.40, as `envoy --help` has them), with what `inlay run` does about it: one table for
// the parser, the page docs/reference/command_line.md and the tests.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace inlay::cli {

enum class Treatment : uint8_t {
  kTaken,    // add_run() declares it
  kIgnored,  // accepted; one line of the log names all of these that were given
  kNothing,  // accepted without a word: it asks for what is so anyway
  kRefused,  // ends the start with the reason
};

struct EnvoyFlag {
  std::string_view name;  // "--log-level"
  bool takes_value;
  Treatment treatment;
  std::string_view note;  // what Inlay does, or why not
};

std::span<const EnvoyFlag> envoy_flags();

// Adds those that are not taken. `ignored` gets the names of the ignored ones that are given; it outlives the parsing.
// A refused one is a CLI::ValidationError.
void add_envoy_flags(CLI::App& command, std::vector<std::string>& ignored);

// docs/reference/command_line.md.
std::string flags_page();

}  // namespace inlay::cli
