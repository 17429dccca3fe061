// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>

#include "cli/read_module.h"
#include "cli/subcommand.h"
#include "compiler/compiler.h"

namespace inlay::cli {
namespace {

struct CompileOptions {
  std::string module;
  std::string output;
  compiler::LoadOptions load;
};

int compile(const CompileOptions& options) {
  const auto text = read_module(options.module);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().message.c_str());
    return 1;
  }
  const std::span<const uint8_t> bytes = as_bytes(*text);
  const std::string output = options.output.empty() ? options.module + ".aot" : options.output;
  if (auto compiled = compiler::compile_module(bytes, options.load, output); !compiled) {
    std::fprintf(stderr, "%s: %s\n", options.module.c_str(), compiled.error().to_string().c_str());
    return 1;
  }
  std::printf("%s\n", output.c_str());
  return 0;
}

}  // namespace

void add_compile(CLI::App& app, Action& action) {
  auto options = std::make_shared<CompileOptions>();
  CLI::App* command = app.add_subcommand("compile", "Compile a module ahead of time, for machines without a compiler");
  command->add_option("module", options->module, "WebAssembly module")->type_name(kFile)->required();
  command->add_option("-o,--output", options->output, "Artifact to write; without it: the module's name and .aot")
      ->type_name(kFile);
  command->add_option("--cc", options->load.compiler, "C compiler; without it: $INLAY_CC, else cc, gcc or clang")
      ->type_name(kFile);
  command->callback([options, &action] { action = [options] { return compile(*options); }; });
}

}  // namespace inlay::cli
