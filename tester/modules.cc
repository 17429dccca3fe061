// SPDX-License-Identifier: Apache-2.0
#include "tester/modules.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include "compiler/compiler.h"
#include "compiler/loader.h"
#include "engine/sha256.h"
#include "tester/bootstrap.h"

namespace inlay::tester {
namespace {

using engine::EngineKind;
using engine::Module;

Result<std::shared_ptr<Module>> load_anew(const std::vector<uint8_t>& bytes, EngineKind engine) {
  compiler::LoadOptions options;
  options.kind = engine;
  if (engine == EngineKind::kAuto) {
    options.tiering = false;  // what is in the cache, and nothing in the background
    if (auto module = compiler::Loader(bytes, options).from_artifact()) return module;
    options.kind = EngineKind::kInterp;
  }
  return compiler::load_module(bytes, options);
}

}  // namespace

Result<std::string> find_file(const Case& c, const std::string& path, std::string_view what) {
  namespace fs = std::filesystem;
  const fs::path beside = fs::path(c.path).parent_path() / path;
  std::error_code ignored;
  for (const fs::path& candidate : {beside, fs::path(path)}) {
    if (fs::is_regular_file(candidate, ignored)) return candidate.string();
  }
  std::string message = "there is no " + std::string(what) + " " + beside.lexically_normal().string();
  if (!fs::path(path).is_absolute() && beside.lexically_normal() != fs::path(path).lexically_normal()) {
    message += ", nor " + path + " below the folder in which this runs";
  }
  return Error{ErrorCode::kNotFound, std::move(message), ""};
}

FindModule modules_of(const Case& c) {
  return [&c](const PluginCase& plugin, const std::string& directory) -> Result<std::string> {
    auto file = plugin.guest.empty() ? find_file(c, plugin.module, "module") : assembled_module(plugin, directory);
    if (file) return file;
    const bool missing = file.error().code == ErrorCode::kNotFound;
    return Error{file.error().code, file.error().message + (missing ? "; is it built?" : ""), plugin.place};
  };
}

Result<std::shared_ptr<Module>> load_module(const std::vector<uint8_t>& bytes, EngineKind engine) {
  static std::mutex mutex;
  static std::map<std::pair<EngineKind, std::string>, std::shared_ptr<Module>> known;
  const std::string hash = engine::sha256(std::span<const uint8_t>(bytes));
  const std::lock_guard lock(mutex);
  auto& module = known[{engine, hash}];
  if (module == nullptr) {
    INLAY_TRY(module, load_anew(bytes, engine));
  }
  return module;
}

}  // namespace inlay::tester
