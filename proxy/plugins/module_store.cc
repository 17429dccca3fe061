// SPDX-License-Identifier: Apache-2.0
#include "proxy/plugins/module_store.h"

#include <span>
#include <string>
#include <utility>

#include "compiler/compiler.h"
#include "engine/sha256.h"

namespace inlay::proxy::plugins {
namespace {

// Called by any thread.
void log_tier(logging::Logger& log, const std::string& module, const compiler::TierEvent& event) {
  const std::string took = std::to_string(event.took.count()) + " ms";
  const bool quick = event.tier == engine::Tier::kQuick;
  if (!event.error.empty()) {
    log.warn("wasm", module +
                         (quick ? " stays interpreted, which is slow, with no more than --guest-call-ms for a call: "
                                : " stays with the code made in haste, which is slower: ") +
                         event.error);
  } else if (quick) {
    log.info("wasm", module + " runs code made in haste (" + took + "); optimised code is being compiled");
  } else {
    log.info("wasm", module + " runs optimised code now (compiled in " + took + ")");
  }
}

}  // namespace

Result<std::shared_ptr<engine::Module>> ModuleStore::load(const config::WasmCode& code) {
  const std::string hash = engine::sha256(std::span<const uint8_t>(*code.bytes));
  const std::lock_guard lock(mutex_);
  if (const auto known = modules_.find(hash); known != modules_.end()) return known->second;
  compiler::LoadOptions options;
  options.kind = engine_;
  options.stop = stop_.get_token();
  options.on_tier = [&log = log_, name = code.filename](const compiler::TierEvent& event) {
    log_tier(log, name, event);
  };
  const std::string size = " (" + std::to_string(code.bytes->size() >> 10) + " KiB)";
  options.on_compile = [&] {
    progress_("compiling " + code.filename);
    log_.info("wasm", code.filename + size +
                          " is not in the cache and is compiled now, which takes a minute for some " +
                          "modules; --engine auto starts at once, and `inlay compile` compiles ahead of time");
  };
  progress_("loading " + code.filename);
  auto module = compiler::load_module(*code.bytes, options);
  if (!module) {
    Error error = module.error();
    error.where = code.filename + (error.where.empty() ? "" : ": " + error.where);
    return error;
  }
  if ((*module)->kind() == engine::EngineKind::kInterp && !(*module)->fallback_reason().empty()) {
    log_.warn("wasm", code.filename + " runs in the interpreter, which is slow: " + (*module)->fallback_reason());
  }
  if ((*module)->kind() == engine::EngineKind::kAot && (*module)->tier() == engine::Tier::kInterpreted) {
    log_.info("wasm", code.filename + size + " is interpreted while it is compiled in the background");
  }
  modules_.emplace(hash, *module);
  return module;
}

void ModuleStore::outlive(std::jthread creating) {
  const std::lock_guard lock(threads_mutex_);
  if (creating.joinable()) threads_.push_back(std::move(creating));
}

void ModuleStore::end() {
  stop_.request_stop();
  const std::lock_guard lock(threads_mutex_);
  threads_.clear();
}

void ModuleStore::drop_unused() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock) std::erase_if(modules_, [](const auto& module) { return module.second.use_count() == 1; });
}

Result<Unit> ModuleStore::go_on(const config::WasmPlugin& wasm) const {
  if (!stop_.stop_requested()) return Unit{};
  return Error{ErrorCode::kUnavailable, "stopped before it was started", "plugin '" + wasm.plugin.name + "'"};
}

Result<std::shared_ptr<host::Plugin>> ModuleStore::create_plugin(const config::WasmPlugin& wasm) {
  if (!wasm.code.bytes) {
    return Error{ErrorCode::kInvalidArgument, "the plugin has no code", "plugin '" + wasm.plugin.name + "'"};
  }
  INLAY_RETURN_IF_ERROR(go_on(wasm));
  auto module = load(wasm.code);
  INLAY_RETURN_IF_ERROR(go_on(wasm));
  if (!module) return std::move(module).error();
  auto plugin = start(wasm, *std::move(module));
  INLAY_RETURN_IF_ERROR(go_on(wasm));
  return plugin;
}

Result<std::shared_ptr<host::Plugin>> ModuleStore::start(const config::WasmPlugin& wasm,
                                                         std::shared_ptr<engine::Module> module) {
  progress_("starting plugin " + wasm.plugin.name);
  const auto is_native = [&] { return module->tier() != engine::Tier::kInterpreted; };
  const bool was_native = is_native();
  auto plugin = host_.create_plugin(wasm.plugin, module);
  // What the interpreter had no time for, the native code that has come meanwhile may have.
  if (!plugin && plugin.error().code == ErrorCode::kDeadlineExceeded && !was_native && is_native())
    plugin = host_.create_plugin(wasm.plugin, std::move(module));
  if (!plugin) {
    Error error = plugin.error();
    if (error.where.empty()) error.where = wasm.code.filename;
    return error;
  }
  return plugin;
}

}  // namespace inlay::proxy::plugins
