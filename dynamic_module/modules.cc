// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/modules.h"

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/read_file.h"
#include "engine/sha256.h"

namespace inlay::dynamic_module {
namespace {

constexpr size_t kMaxModuleBytes = size_t{256} << 20;

// What was loaded, by its artifact's name and the module's digest.
class Loaded {
 public:
  Result<std::shared_ptr<engine::Module>> open(const std::string& artifact, const std::string& sha256) {
    const std::lock_guard lock(mutex_);
    auto& known = modules_[{artifact, sha256}];
    if (auto module = known.lock()) return module;
    INLAY_TRY(auto module, engine::Module::open(artifact, sha256));
    known = module;
    return module;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<engine::Module>> modules_;
};

Loaded& loaded() {
  static Loaded* const all = new Loaded;
  return *all;
}

}  // namespace

Result<std::shared_ptr<engine::Module>> find_module(const Settings& settings) {
  if (settings.module.empty()) {
    return Error{ErrorCode::kInvalidArgument, "must name a .wasm file: this library has no module of its own",
                 "filter_config.module"};
  }
  auto bytes = read_regular_file(settings.module, kMaxModuleBytes);
  if (!bytes) return Error{bytes.error().code, bytes.error().to_string(), "filter_config.module"};
  auto module = loaded().open(settings.artifact, engine::sha256(*bytes));
  if (module) return module;
  const Error& why = module.error();
  return Error{why.code,
               why.to_string() + "; `inlay compile " + settings.module + " -o " + settings.artifact +
                   "` of this version makes it, and only we and root may write to it",
               "filter_config.artifact"};
}

}  // namespace inlay::dynamic_module
