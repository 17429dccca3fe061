// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/read_module.h"
#include "cli/subcommand.h"
#include "compiler/compiler.h"
#include "compiler/dynamic_module.h"

namespace inlay::cli {
namespace {

struct CompileOptions {
  std::vector<std::string> modules;  // a file, or NAME=FILE
  std::string output;
  bool dynamic_module = false;
  std::string runtime;
  compiler::LoadOptions load;
};

int fail(const std::string& where, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", where.c_str(), error.to_string().c_str());
  return 1;
}

int compile_one(const CompileOptions& options) {
  const std::string& file = options.modules.front();
  const auto text = read_module(file);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().message.c_str());
    return 1;
  }
  const std::string output = options.output.empty() ? file + ".aot" : options.output;
  if (auto compiled = compiler::compile_module(as_bytes(*text), options.load, output); !compiled)
    return fail(file, compiled.error());
  std::printf("%s\n", output.c_str());
  return 0;
}

// Where the build and an installation have the object file that modules are linked with.
std::string find_runtime() {
  constexpr const char* kFile = "inlay_dynamic_module.o";
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const auto installed = program.parent_path() / "lib" / "inlay" / kFile;
  return std::filesystem::exists(program / kFile, ignored) ? program / kFile : installed;
}

// The module's name is what stands before `=`, or its file's name without its ending.
int link(const CompileOptions& options) {
  if (options.output.empty()) {
    std::fprintf(stderr, "--dynamic-module needs --output: the library to write\n");
    return 1;
  }
  std::vector<std::string> texts;
  std::vector<compiler::LinkedModule> modules;
  texts.reserve(options.modules.size());
  for (const std::string& word : options.modules) {
    const size_t equals = word.find('=');
    const std::string file = equals == std::string::npos ? word : word.substr(equals + 1);
    auto text = read_module(file);
    if (!text) {
      std::fprintf(stderr, "%s\n", text.error().message.c_str());
      return 1;
    }
    texts.push_back(*std::move(text));
    const std::string name =
        equals == std::string::npos ? std::filesystem::path(file).stem().string() : word.substr(0, equals);
    modules.push_back({name, as_bytes(texts.back())});
  }
  const std::string runtime = options.runtime.empty() ? find_runtime() : options.runtime;
  if (auto linked = compiler::compile_dynamic_module(modules, options.load, runtime, options.output); !linked)
    return fail(options.output, linked.error());
  std::printf("%s\n", options.output.c_str());
  return 0;
}

int compile(const CompileOptions& options) {
  if (options.dynamic_module) return link(options);
  if (options.modules.size() == 1) return compile_one(options);
  std::fprintf(stderr, "several modules go into one file with --dynamic-module only\n");
  return 1;
}

}  // namespace

void add_compile(CLI::App& app, Action& action) {
  auto options = std::make_shared<CompileOptions>();
  CLI::App* command = app.add_subcommand("compile", "Compile a module ahead of time, for machines without a compiler");
  command
      ->add_option("module", options->modules,
                   "WebAssembly module; several, each as NAME=FILE if it is to have another name than its file, with "
                   "--dynamic-module")
      ->type_name(kFile)
      ->required();
  command
      ->add_option("-o,--output", options->output,
                   "Artifact to write; without it: the module's name and .aot. With --dynamic-module: the library")
      ->type_name(kFile);
  command->add_flag("--dynamic-module", options->dynamic_module,
                    "Make one shared object of all modules, which Envoy loads (docs/reference/dynamic_module.md)");
  command
      ->add_option(
          "--runtime", options->runtime,
          "What they are linked with; without it: inlay_dynamic_module.o beside the program or in ../lib/inlay")
      ->type_name(kFile);
  command->add_option("--cc", options->load.compiler, "C compiler; without it: $INLAY_CC, else cc, gcc or clang")
      ->type_name(kFile);
  command->callback([options, &action] { action = [options] { return compile(*options); }; });
}

}  // namespace inlay::cli
