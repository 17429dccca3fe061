// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the files of the `inlay` program agree on: one file a subcommand, one line each in main.cc's table.
//
//     void add_echo(CLI::App& app, Action& action) {
//       auto options = std::make_shared<EchoOptions>();
//       CLI::App* command = app.add_subcommand("echo", "A destination workload");
//       command->add_option("--port", options->port, "Port to listen on")->required();
//       command->callback([options, &action] { action = [options] { return run_echo(*options); }; });
//     }

#include <functional>

#include <CLI/CLI.hpp>

namespace inlay::cli {

// Action is what the program does once the whole command line is known to be right; it returns the exit status.
using Action = std::function<int()>;

// The names of types of options that are a path, for --help and for what completes command lines:
// command->add_option(...)->type_name(kFile).
inline constexpr const char* kFile = "FILE";
inline constexpr const char* kFolder = "FOLDER";

// Each adds its subcommand to `app`, and sets `action` when that subcommand is what was asked for.
using AddSubcommand = void (*)(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_validate(CLI::App& app, Action& action);
void add_compile(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_package(CLI::App& app, Action& action);
void add_unpack(CLI::App& app, Action& action);
void add_echo(CLI::App& app, Action& action);
void add_provider(CLI::App& app, Action& action);
void add_reference(CLI::App& app, Action& action);
void add_deploy(CLI::App& app, Action& action);
void add_test(CLI::App& app, Action& action);
void add_new(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);
void add_version(CLI::App& app, Action& action);

}  // namespace inlay::cli
