// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/modules.h"

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/read_file.h"
#include "engine/aot/linked.h"
#include "engine/sha256.h"

// The table that compiler/dynamic_module.cc writes; libinlay.so itself has none.
extern "C" __attribute__((weak)) const inlay::engine::aot::Linked inlay_linked_modules[];

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

// A file with its artifact.
Result<std::shared_ptr<engine::Module>> load(const Settings& settings) {
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

// What is linked in, which stays for good once it was asked for.
Result<std::shared_ptr<engine::Module>> open_once(const engine::aot::Linked& linked) {
  static std::mutex mutex;
  static auto* const opened = new std::map<std::string_view, std::shared_ptr<engine::Module>>;
  const std::lock_guard lock(mutex);
  const auto found = opened->find(linked.name);
  if (found != opened->end()) return found->second;
  INLAY_TRY(auto module, engine::aot::open_linked(linked));
  return opened->emplace(linked.name, std::move(module)).first->second;
}

Result<std::shared_ptr<engine::Module>> find_linked(const std::string& name) {
  if (inlay_linked_modules == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "must name a .wasm file: this library has no module of its own",
                 "filter_config.module"};
  }
  std::string names;
  for (const auto* one = inlay_linked_modules; one->name != nullptr; ++one) {
    if (one->name == name) return open_once(*one);
    names.append(names.empty() ? "" : ", ").append(one->name);
  }
  return Error{ErrorCode::kInvalidArgument, "this library has no module `" + name + "`; it has " + names,
               "filter_name"};
}

}  // namespace

Result<std::shared_ptr<engine::Module>> find_module(const Settings& settings) {
  return settings.module.empty() ? find_linked(settings.filter) : load(settings);
}

}  // namespace inlay::dynamic_module
