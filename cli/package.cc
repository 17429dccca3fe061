// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/read_module.h"
#include "cli/subcommand.h"
#include "inspect/printable.h"
#include "package/image.h"
#include "package/reference.h"
#include "package/write_image.h"

namespace inlay::cli {
namespace {

struct PackageOptions {
  std::string module;
  std::string output;
  std::string form = "compat";
  uint64_t max_size = 0;
  bool quiet = false;
  std::vector<std::string> annotations;
  package::ImageOptions image;
};

int fail(const PackageOptions& options, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", options.module.c_str(), message.c_str());
  return 1;
}

// The convention of reproducible builds: seconds since 1970 as the only source of a date.
Result<> read_source_date(package::ImageOptions& image) {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return {};
  char* end = nullptr;
  errno = 0;
  const long long seconds = std::strtoll(text, &end, 10);
  constexpr long long kYear9999 = 253402300799;
  if (errno != 0 || *end != '\0' || seconds < 0 || seconds > kYear9999) {
    return Error{ErrorCode::kInvalidArgument, "SOURCE_DATE_EPOCH is to be a number of seconds since 1970", {}};
  }
  image.created = seconds;
  return {};
}

// What the options say together, with what follows from the module's name.
Result<> complete(PackageOptions& options) {
  package::ImageOptions& image = options.image;
  image.form = options.form == "artifact" ? package::Form::kArtifact : package::Form::kCompat;
  if (image.name.empty()) image.name = std::filesystem::path(options.module).stem().string();
  if (image.tag.empty()) image.tag = image.version.empty() ? "latest" : image.version;
  for (const std::string& annotation : options.annotations) {
    const size_t equals = annotation.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::kInvalidArgument, "--annotation is KEY=VALUE, not '" + annotation + "'", {}};
    }
    image.annotations[annotation.substr(0, equals)] = annotation.substr(equals + 1);
  }
  return read_source_date(image);
}

// For a shell.
std::string quoted(const std::string& text) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  if (text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void print(const PackageOptions& options, const package::Image& image, size_t module_size) {
  const bool tar = std::filesystem::path(options.output).extension() == ".tar";
  const std::string repository = (package::names_registry(options.image.name) ? "" : "REGISTRY/") + options.image.name;
  const std::string layout = (tar ? "oci-archive:" : "oci:") + options.output + ":" + options.image.tag;
  const std::string& digest = image.manifest.digest;
  std::printf("%s\n", options.output.c_str());
  std::printf("  module   %s bytes, ABI %s, sha256 %s\n", inspect::grouped(module_size).c_str(),
              image.abi_version.c_str(), image.module_sha256.c_str());
  std::printf("  form     %s, a layer of %s bytes\n", options.form.c_str(), inspect::grouped(image.layer_size).c_str());
  std::printf("  digest   %s\n", digest.c_str());
  std::printf("  push     skopeo copy --preserve-digests %s docker://%s:%s\n", quoted(layout).c_str(),
              repository.c_str(), options.image.tag.c_str());
  if (!tar) {
    const std::string folder = quoted(options.output);
    std::printf("           crane push %s %s:%s\n", folder.c_str(), repository.c_str(), options.image.tag.c_str());
    std::printf("           oras cp --from-oci-layout %s %s:%s\n",
                quoted(options.output + ":" + options.image.tag).c_str(), repository.c_str(),
                options.image.tag.c_str());
  }
  std::printf("  pull     oci://%s@%s\n", repository.c_str(), digest.c_str());
}

int package_module(PackageOptions& options) {
  if (auto right = complete(options); !right) return fail(options, right.error().message);
  const auto text = read_module(options.module);
  if (!text) return fail(options, text.error().message);
  if (options.max_size != 0 && text->size() > options.max_size) {
    return fail(options, "it has " + std::to_string(text->size()) + " bytes; --max-size allows " +
                             std::to_string(options.max_size) + ". `inlay inspect` shows what could be saved");
  }
  const auto image = package::make_image(as_bytes(*text), options.image);
  if (!image) return fail(options, image.error().to_string());
  if (auto written = package::write_image(*image, options.output); !written) {
    return fail(options, written.error().message);
  }
  if (options.quiet)
    std::printf("%s\n", image->manifest.digest.c_str());
  else
    print(options, *image, text->size());
  return 0;
}

}  // namespace

void add_package(CLI::App& app, Action& action) {
  auto options = std::make_shared<PackageOptions>();
  CLI::App* command =
      app.add_subcommand("package", "Make an OCI image of a module, for Istio, Envoy Gateway and others");
  command->add_option("module", options->module, "WebAssembly module")->type_name(kFile)->required();
  command->add_option("-o,--output", options->output, "Folder for the image layout, or a file with the ending .tar")
      ->type_name(kFile)
      ->required();
  command->add_option("--form", options->form, "compat: as containers are; artifact: media types of their own")
      ->check(CLI::IsMember({"compat", "artifact"}))
      ->capture_default_str();
  command->add_flag("--compress", options->image.compress,
                    "Compress the compat form's layer: smaller, but another version of zlib makes another digest");
  command->add_option("--name", options->image.name,
                      "Repository, perhaps with its registry; without it: the file's name");
  command->add_option("--tag", options->image.tag, "Tag; without it: the version, or else latest");
  command->add_option("--version", options->image.version, "The module's version");
  command->add_option("--license", options->image.licenses, "Its licence, as an SPDX expression");
  command->add_option("--source", options->image.source, "Where its source is, as a URL");
  command->add_option("--annotation", options->annotations, "KEY=VALUE, any number of times");
  command->add_option("--root-id", options->image.root_ids,
                      "For the artifact form's configuration, any number of times");
  command->add_option("--max-size", options->max_size, "Refuse a module above this size, as in 1MiB")
      ->check([](const std::string& size) { return size.starts_with('-') ? "must not be negative" : std::string(); })
      ->transform(CLI::AsSizeValue(false));
  command->add_flag("-q,--quiet", options->quiet, "Print nothing but the digest");
  command->callback([options, &action] { action = [options] { return package_module(*options); }; });
}

}  // namespace inlay::cli
