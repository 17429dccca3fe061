// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>

#include "cli/read_module.h"
#include "cli/subcommand.h"
#include "inspect/elf_note.h"
#include "inspect/json_writer.h"
#include "inspect/printable.h"
#include "inspect/report.h"
#include "package/read_image.h"

namespace inlay::cli {
namespace {

struct InspectOptions {
  std::string module;
  std::string tag;
  bool json = false;
  size_t functions = 10;
  std::string wasm_opt = "wasm-opt";
  unsigned wasm_opt_seconds = 60;
  bool no_wasm_opt = false;
};

// A shared object of several modules: which they are.
int inspect_library(const InspectOptions& options, std::span<const uint8_t> bytes) {
  const auto modules = inspect::noted_modules(bytes);
  if (!modules) {
    std::fprintf(stderr, "%s: this is a program or a library, and none of `inlay compile --dynamic-module`\n",
                 options.module.c_str());
    return 1;
  }
  if (options.json) {
    inspect::JsonWriter<> json;
    json.open().text("file", options.module).list("dynamic_module", *modules, [&](const auto& module) {
      json.open().text("name", module.name).text("sha256", module.sha256).close();
    });
    std::printf("%s\n", json.close().take().c_str());
    return 0;
  }
  std::printf("%s: a dynamic module of Envoy's\n", options.module.c_str());
  for (const auto& module : *modules)
    std::printf("  %s: sha256 %s\n", inspect::printable(module.name).c_str(), module.sha256.c_str());
  return 0;
}

int inspect_module(const InspectOptions& options) {
  if (const auto file = read_module(options.module); file && inspect::is_elf(as_bytes(*file)))
    return inspect_library(options, as_bytes(*file));
  const auto loaded = package::load_module(options.module, options.tag);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    return 1;
  }
  const std::span<const uint8_t> bytes = as_bytes(loaded->bytes);
  inspect::Report report;
  report.file = options.module;
  report.image = loaded->image;
  report.functions = options.functions;
  auto facts = inspect::examine(bytes);
  if (!facts) {
    std::fprintf(stderr, "%s: %s\n", options.module.c_str(), facts.error().to_string().c_str());
    return 1;
  }
  report.facts = *std::move(facts);
  if (!options.no_wasm_opt) {
    report.wasm_opt = inspect::run_wasm_opt(bytes, report.facts.layout, options.wasm_opt,
                                            std::chrono::seconds(options.wasm_opt_seconds));
  }
  std::fputs((options.json ? to_json(report) : to_text(report)).c_str(), stdout);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a module is, needs and costs");
  command
      ->add_option("module", options->module,
                   "WebAssembly module, or an OCI image layout with one: a folder or a tar file")
      ->type_name(kFile)
      ->required();
  command->add_option("--tag", options->tag, "Which image of a layout, where there are several");
  command->add_flag("--json", options->json, "One JSON object (docs/reference/inspect.md) instead of text");
  command->add_option("--functions", options->functions, "How many of the largest functions to show")
      ->capture_default_str();
  command->add_flag("--no-wasm-opt", options->no_wasm_opt, "Do not run wasm-opt to see what it would save");
  command->add_option("--wasm-opt", options->wasm_opt, "The wasm-opt to run")->type_name(kFile)->capture_default_str();
  command->add_option("--wasm-opt-seconds", options->wasm_opt_seconds, "Give wasm-opt up after so many seconds")
      ->capture_default_str();
  command->callback([options, &action] { action = [options] { return inspect_module(*options); }; });
}

}  // namespace inlay::cli
