// SPDX-License-Identifier: Apache-2.0
#include "compiler/wasm2c/compile.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

#include "compiler/reader_guard.h"
#include "compiler/wasm2c/compiler_run.h"
#include "compiler/wasm2c/shim.h"
#include "compiler/wasm2c/split.h"
#include "compiler/wasm2c/temporary_directory.h"
#include "engine/aot/runtime.h"

namespace inlay::compiler {
namespace {

// -fno-optimize-sibling-calls: endless recursion stays recursion, and is found. -fstack-clash-protection: no frame
// steps over the guard page. -Werror: where wasm2c and our
// header disagree, the compiler must refuse. The floating-point flags are what WebAssembly's arithmetic needs of a C
// compiler.
const char* const kFlags[] = {"-std=gnu11",
                              "-Werror=implicit-function-declaration",
                              "-Werror=int-conversion",
                              "-Werror=incompatible-pointer-types",
                              "-pipe",
                              "-fPIC",
                              "-fno-plt",
                              "-fvisibility=hidden",
                              "-fno-strict-aliasing",
                              "-fno-optimize-sibling-calls",
                              "-fstack-clash-protection",
                              "-frounding-math",
                              "-fsignaling-nans",
                              "-ffp-contract=off",
                              "-DNDEBUG"};

std::string search_path(std::string_view name) {
  if (name.find('/') != std::string_view::npos) return std::string(name);
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (true) {
    const size_t colon = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + std::string(name);
    if (candidate.front() == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

bool write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  return out.good();
}

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// What the user says; empty: nothing.
std::string named_compiler(const LoadOptions& options) {
  if (!options.compiler.empty()) return options.compiler;
  const char* variable = std::getenv("INLAY_CC");
  return variable != nullptr ? variable : "";
}

// binutils' tool, which every C compiler's package brings along.
Result<std::string> find_objcopy() {
  for (const char* name : {"objcopy", "llvm-objcopy"}) {
    if (std::string path = search_path(name); !path.empty()) return path;
  }
  return Error{ErrorCode::kUnavailable, "no objcopy was found, which is in the package binutils", {}};
}

std::optional<Compiler> find_program(const std::string& name) {
  Compiler compiler;
  compiler.path = search_path(name);
  char resolved[PATH_MAX];
  struct stat status = {};
  if (compiler.path.empty() || realpath(compiler.path.c_str(), resolved) == nullptr || stat(resolved, &status) != 0 ||
      !S_ISREG(status.st_mode) || access(resolved, X_OK) != 0) {
    return std::nullopt;
  }
  // What a package upgrade changes. Asking the compiler for its version would cost more than loading an artifact.
  compiler.identity = compiler.path + "\n" + resolved + "\n" + std::to_string(status.st_size) + "\n" +
                      std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
  compiler.flags.assign(std::begin(kFlags), std::end(kFlags));
  // clang stops at 256 blocks in each other, if it is not told otherwise.
  if (std::string_view(std::strrchr(resolved, '/') + 1).starts_with("clang")) {
    compiler.flags.push_back("-fbracket-depth=" + std::to_string(2 * reader_limits::kNesting));
  }
  for (const std::string& flag : compiler.flags) compiler.identity += "\n" + flag;
  return compiler;
}

// The files to compile, beside each other: shim.c, which includes guest.c, and the parts after the first.
Result<std::vector<std::string>> write_sources(const Translation& translation, size_t parts, const std::string& in) {
  bool good = write_file(in + "/wasm-rt.h", runtime_header()) && write_file(in + "/guest.h", translation.c.header) &&
              write_file(in + "/shim.c", translation.shim);
  std::vector<std::string> files = {"shim"};
  SplitC split;
  if (parts > 1) split = split_c(translation.c.source, parts);
  if (split.bodies.size() < 2) {
    good = good && write_file(in + "/guest.c", translation.c.source);
  } else {
    good = good && write_file(in + "/common.c", split.common) &&
           write_file(in + "/guest.c", "#include \"common.c\"\n" + split.bodies[0] + split.tail);
    for (size_t i = 1; i < split.bodies.size(); ++i) {
      files.push_back("part" + std::to_string(i));
      good = good && write_file(in + "/" + files.back() + ".c", part_head(i) + split.bodies[i]);
    }
  }
  if (!good) return Error{ErrorCode::kIo, "cannot write the translated module: is the disk full?", in};
  return files;
}

}  // namespace

Result<Compiler> find_compiler(const LoadOptions& options) {
  const std::string named = named_compiler(options);
  const std::vector<std::string> names =
      named.empty() ? std::vector<std::string>{"cc", "gcc", "clang"} : std::vector{named};
  for (const std::string& name : names) {
    if (auto compiler = find_program(name)) return *std::move(compiler);
  }
  std::string tried;
  for (const std::string& name : names) tried += (tried.empty() ? "" : ", ") + name;
  return Error{ErrorCode::kUnavailable, "no C compiler was found (looked for " + tried + ")", {}};
}

Compiler find_quick_compiler(const LoadOptions& options, const Compiler& optimizing) {
  if (!named_compiler(options).empty()) return optimizing;
  auto clang = find_program("clang");
  if (!clang) return optimizing;
  clang->quick_at_o0 = true;
  return *std::move(clang);
}

std::string optimization_flag(const LoadOptions& options) {
  return "-O" + std::to_string(std::clamp(options.optimization, 0, 3));
}

CompileJob quick_job(const Compiler& compiler, size_t source_size) {
  // gcc's -Og takes a third longer than its -O0 and gives code several times as fast; past this size, only -O0 is in
  // time. clang's -O0 takes a third of either, and its -Og longer than gcc's.
  constexpr size_t kLarge = 8u << 20;
  // Each part reads all declarations again, and each compiler takes its memory.
  constexpr size_t kPartSize = 512u << 10;
  constexpr size_t kMostParts = 8;
  const size_t cores = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMostParts);
  return {compiler.quick_at_o0 || source_size > kLarge ? "-O0" : "-Og",
          std::clamp<size_t>(source_size / kPartSize, 1, cores),
          {}};
}

Result<> compile(const Compiler& compiler, const Translation& translation, const CompileJob& job,
                 const std::string& directory, const engine::aot::ModuleId& id, const std::string& path) {
  const TemporaryDirectory temporary(directory);
  const std::string& in = temporary.path();
  if (in.empty()) {
    return Error{ErrorCode::kIo, std::string("cannot make a directory: ") + std::strerror(errno), directory};
  }
  INLAY_TRY(const auto files, write_sources(translation, job.parts, in));
  const std::string object = in + "/guest.so";
  const std::vector<std::string> flags = joined(compiler.flags, {job.optimization, "-I" + in});
  CompilerRun run(compiler.path, in, job.stop);
  if (files.size() == 1) {
    INLAY_RETURN_IF_ERROR(run.run({joined(flags, {"-shared", in + "/shim.c", "-o", object, "-lm"})}));
    return engine::aot::seal_artifact(object, id, translation.description, path);
  }
  std::vector<std::vector<std::string>> commands;
  std::vector<std::string> link = {"-shared", "-o", object};
  for (const std::string& file : files) {
    const std::string part = in + "/" + file;
    commands.push_back(joined(flags, {"-c", part + ".c", "-o", part + ".o"}));
    link.push_back(part + ".o");
  }
  INLAY_RETURN_IF_ERROR(run.run(commands));
  link.push_back("-lm");
  INLAY_RETURN_IF_ERROR(run.run({link}));
  return engine::aot::seal_artifact(object, id, translation.description, path);
}

Result<> compile_object(const Compiler& compiler, const Translation& translation, const CompileJob& job,
                        const std::string& in, const std::string& symbol, const std::string& object) {
  INLAY_TRY(const auto files, write_sources(translation, 1, in));
  INLAY_RETURN_IF_ERROR(
      CompilerRun(compiler.path, in, job.stop)
          .run({joined(compiler.flags,
                       {job.optimization, "-I" + in, std::string("-D") + engine::aot::kDescriptorSymbol + "=" + symbol,
                        "-c", in + "/" + files[0] + ".c", "-o", object})}));
  // What else is global in it is so in any other module's.
  INLAY_TRY(const std::string objcopy, find_objcopy());
  return CompilerRun(objcopy, in, job.stop).run({{"--keep-global-symbol=" + symbol, object}});
}

}  // namespace inlay::compiler
