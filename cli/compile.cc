// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "cli/subcommand.h"
#include "engine/engine.h"

namespace inlay::cli {
namespace {

struct CompileOptions {
  std::string module;
  std::string output;
  engine::LoadOptions load;
};

int compile(const CompileOptions& options) {
  std::ifstream file(options.module, std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    std::fprintf(stderr, "%s: cannot read it\n", options.module.c_str());
    return 1;
  }
  const std::string output = options.output.empty() ? options.module + ".aot" : options.output;
  if (auto compiled = engine::compile_module(bytes, options.load, output); !compiled) {
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
  command->add_option("module", options->module, "WebAssembly module")->required();
  command->add_option("-o,--output", options->output, "Artifact to write; without it: the module's name and .aot");
  command->add_option("--cc", options->load.compiler, "C compiler; without it: $INLAY_CC, else cc, gcc or clang");
  command->callback([options, &action] { action = [options] { return compile(*options); }; });
}

}  // namespace inlay::cli
