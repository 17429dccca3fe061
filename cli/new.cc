// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "base/result.h"
#include "cli/subcommand.h"

namespace inlay::cli {

// The files of cli/new, by their path below it.
std::string_view new_file(std::string_view name);

namespace {

namespace fs = std::filesystem;

struct NewOptions {
  std::string name;
  std::string language = "cpp";
};

struct NewFile {
  std::string_view path;  // in the new folder
  std::string_view from;  // below cli/new
};

struct Language {
  std::string_view name;  // of --lang
  std::string_view help;
  std::vector<NewFile> files;  // on top of those that all have
};

// What a filter in any language has: it is the same filter, build/NAME.wasm.
constexpr NewFile kCommon[] = {
    {"envoy.yaml", "common/envoy.yaml.in"},
    {"cases/filter.inc", "common/cases/filter.inc.in"},
    {"cases/passes.case", "common/cases/passes.case.in"},
    {"cases/refused.case", "common/cases/refused.case.in"},
    {"cases/bootstrap.case", "common/cases/bootstrap.case.in"},
};

const std::vector<Language>& languages() {
  static const std::vector<Language> all = {{"cpp",
                                             "C++, with Inlay's SDK",
                                             {{"filter.cc", "cpp/filter.cc.in"},
                                              {"CMakeLists.txt", "cpp/CMakeLists.txt.in"},
                                              {"Makefile", "cpp/Makefile.in"},
                                              {"README.md", "cpp/README.md.in"},
                                              {".gitignore", "cpp/gitignore.in"},
                                              {".github/workflows/test.yml", "cpp/ci.yml.in"}}},
                                            {"rust",
                                             "the crate proxy-wasm",
                                             {{"src/lib.rs", "rust/lib.rs.in"},
                                              {"Cargo.toml", "rust/Cargo.toml.in"},
                                              {"Makefile", "rust/Makefile.in"},
                                              {"README.md", "rust/README.md.in"},
                                              {".gitignore", "rust/gitignore.in"},
                                              {".github/workflows/test.yml", "rust/ci.yml.in"}}},
                                            {"go",
                                             "proxy-wasm's Go SDK",
                                             {{"main.go", "go/main.go.in"},
                                              {"go.mod", "go/go.mod.in"},
                                              {"Makefile", "go/Makefile.in"},
                                              {"README.md", "go/README.md.in"},
                                              {".gitignore", "go/gitignore.in"},
                                              {".github/workflows/test.yml", "go/ci.yml.in"}}}};
  return all;
}

// What a CMake target, a plugin and a file can be called.
bool is_name(std::string_view name) {
  return !name.empty() && is_alpha(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alphanumeric(c) || c == '_'; });
}

Result<Unit> write(const NewFile& file, const std::string& name) {
  constexpr std::string_view kPlaceholder = "__name__";
  std::string text(new_file(file.from));
  for (size_t at = text.find(kPlaceholder); at != std::string::npos; at = text.find(kPlaceholder, at + name.size())) {
    text.replace(at, kPlaceholder.size(), name);
  }
  const fs::path path = fs::path(name) / file.path;
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  std::ofstream out(path);
  out << text;
  if (!out.flush()) return Error{ErrorCode::kIo, "cannot be written", path};
  return Unit{};
}

Result<Unit> make(const std::string& name, const std::string& language) {
  if (!is_name(name)) {
    return Error{ErrorCode::kInvalidArgument, "a name has letters, digits and _, and begins with a letter", name};
  }
  std::error_code ignored;
  if (fs::exists(name, ignored)) return Error{ErrorCode::kFailedPrecondition, "is there already", name};
  for (const NewFile& file : kCommon) INLAY_RETURN_IF_ERROR(write(file, name));
  for (const Language& one : languages()) {
    if (one.name != language) continue;
    for (const NewFile& file : one.files) INLAY_RETURN_IF_ERROR(write(file, name));
  }
  return Unit{};
}

int make_new(const NewOptions& options) {
  if (const auto made = make(options.name, options.language); !made) {
    std::fprintf(stderr, "inlay: %s\n", made.error().to_string().c_str());
    return made.error().code == ErrorCode::kInvalidArgument ? 2 : 1;
  }
  std::printf("%s has a filter and its cases:\n\n    cd %s\n    make\n    make test\n    inlay run -c envoy.yaml\n",
              options.name.c_str(), options.name.c_str());
  return 0;
}

}  // namespace

void add_new(CLI::App& app, Action& action) {
  auto options = std::make_shared<NewOptions>();
  CLI::App* command = app.add_subcommand("new", "Make a folder for a filter of your own, with cases that test it");
  command->add_option("NAME", options->name, "The filter's, and the folder's")->required();
  std::vector<std::string> names;
  std::string help;
  for (const Language& language : languages()) {
    names.emplace_back(language.name);
    help += (help.empty() ? "" : "; ") + names.back() + ": " + std::string(language.help);
  }
  command->add_option("--lang", options->language, help)->check(CLI::IsMember(names))->capture_default_str();
  command->callback([options, &action] { action = [options] { return make_new(*options); }; });
}

}  // namespace inlay::cli
