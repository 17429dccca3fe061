// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "base/files.h"
#include "cli/subcommand.h"
#include "package/read_image.h"

namespace inlay::cli {
namespace {

struct UnpackOptions {
  std::string image;
  std::string tag;
  std::string output;
};

int unpack(const UnpackOptions& options) {
  const auto module = package::load_module(options.image, options.tag);
  if (!module) {
    std::fprintf(stderr, "%s\n", module.error().message.c_str());
    return 1;
  }
  if (module->image.empty()) {
    std::fprintf(stderr, "%s: it is no image layout, neither a folder nor a tar file\n", options.image.c_str());
    return 1;
  }
  if (auto written = replace_file(options.output, module->bytes); !written) {
    std::fprintf(stderr, "%s\n", written.error().to_string().c_str());
    return 1;
  }
  std::error_code ignored;  // no name behind what went to /dev/stdout
  if (std::filesystem::is_regular_file(options.output, ignored)) std::printf("%s\n", options.output.c_str());
  return 0;
}

}  // namespace

void add_unpack(CLI::App& app, Action& action) {
  auto options = std::make_shared<UnpackOptions>();
  CLI::App* command = app.add_subcommand("unpack", "Take the module out of an OCI image layout");
  command->add_option("image", options->image, "Image layout: a folder or a tar file")->type_name(kFile)->required();
  command->add_option("-o,--output", options->output, "File to write the module to")->type_name(kFile)->required();
  command->add_option("--tag", options->tag, "Which image of the layout, where there are several");
  command->callback([options, &action] { action = [options] { return unpack(*options); }; });
}

}  // namespace inlay::cli
