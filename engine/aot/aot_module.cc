// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/aot_module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "engine/aot/artifact.h"
#include "engine/aot/compile.h"
#include "engine/aot/shim.h"

namespace inlay::engine::aot {
namespace {

namespace fs = std::filesystem;

std::string temporary_object(const std::string& directory) {
  static std::atomic<uint64_t> count{0};
  return directory + "/tmp-" + std::to_string(getpid()) + "-" + std::to_string(count++) + ".so";
}

Result<> build(std::span<const uint8_t> bytes, const Module& described, const ParsedModule& parsed,
               const Compiler& compiler, const std::string& key, const std::string& directory,
               const std::string& path) {
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_TRY(GeneratedC c, write_c(bytes));
  INLAY_TRY(const std::string shim, make_shim(c.header, described, key));
  const std::string object = temporary_object(directory);
  auto compiled = compile(compiler, c, shim, directory, object);
  if (compiled) compiled = seal_artifact(object, key, path);
  std::error_code ignored;
  fs::remove(object, ignored);
  return compiled;
}

bool matches(const Descriptor* descriptor, const Module& described, const std::string& key) {
  return descriptor != nullptr && descriptor->abi == kShimAbi && key == descriptor->key &&
         descriptor->export_count == described.exports().size() &&
         descriptor->import_count == described.imports().size();
}

// dlopen() knows files by the name they were opened under: where a file of the same name was loaded before and has been
// replaced since, another spelling of the name brings the new one.
Result<std::shared_ptr<AotModule>> open(std::string path, const Module& described, const std::string& key) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  path = fs::absolute(path);
  for (int spelling = 0; spelling < 64; ++spelling) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* why = dlerror();
      return Error{ErrorCode::kUnavailable, std::string("cannot load the compiled module: ") + (why ? why : "?"), path};
    }
    const auto* descriptor = static_cast<const Descriptor*>(dlsym(library, kDescriptorSymbol));
    if (matches(descriptor, described, key)) {
      descriptor->initialize(&kRuntime);
      return std::make_shared<AotModule>(library, *descriptor);
    }
    dlclose(library);
    path.insert(path.rfind('/'), "/");
  }
  return Error{ErrorCode::kInvalidArgument, "the artifact does not hold what its trailer says", path};
}

Result<std::shared_ptr<AotModule>> open_checked(const std::string& path, const Module& described,
                                                const std::string& key) {
  INLAY_TRY([[maybe_unused]] auto checked, check_artifact(path, key));
  return open(path, described, key);
}

}  // namespace

AotModule::~AotModule() {
  dlclose(library_);
}

Result<std::shared_ptr<AotModule>> load(std::span<const uint8_t> bytes, const Module& described,
                                        const ParsedModule& parsed, const LoadOptions& options) {
  const std::string key = module_key(bytes);
  std::string passed_over;
  if (!options.artifact.empty()) {
    auto opened = open_checked(options.artifact, described, key);
    if (opened) return opened;
    if (opened.error().code != ErrorCode::kNotFound)
      passed_over = "; the artifact was passed over: " + opened.error().to_string();
  }
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_TRY(const std::string directory, open_cache_directory(options.cache_dir));
  auto compiler = find_compiler(options);
  if (!compiler) {
    const std::string any = find_any_artifact(directory, key);
    if (!any.empty()) {
      auto opened = open_checked(any, described, key);
      if (opened) return opened;
      passed_over += "; the cache's artifact was passed over: " + opened.error().to_string();
    }
    compiler.error().message += passed_over;
    return compiler.error();
  }
  std::string identity = compiler->identity;
  for (const std::string& flag : compiler->flags) identity += "\n" + flag;
  const std::string path = directory + "/" + key + "-" + sha256(identity).substr(0, 16) + ".aot";
  auto cached = open_checked(path, described, key);
  if (cached) return cached;
  INLAY_TRY([[maybe_unused]] auto built, build(bytes, described, parsed, *compiler, key, directory, path));
  return open_checked(path, described, key);
}

Result<> compile_to(std::span<const uint8_t> bytes, const Module& described, const ParsedModule& parsed,
                    const LoadOptions& options, const std::string& output) {
  INLAY_TRY(const Compiler compiler, find_compiler(options));
  std::string directory = fs::path(output).parent_path();
  if (directory.empty()) directory = ".";
  return build(bytes, described, parsed, compiler, module_key(bytes), directory, output);
}

}  // namespace inlay::engine::aot
