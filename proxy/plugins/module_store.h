// SPDX-License-Identifier: Apache-2.0
#pragma once

// ModuleStore: from a plugin's configuration to a host::Plugin: loads each module once, says in the log
// how it was compiled, and runs the plugin's canary.
//
//     ModuleStore modules(host, log, engine::EngineKind::kAuto);
//     INLAY_TRY(auto plugin, modules.create_plugin(filter));     // a filter's, an access logger's, a service's

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "engine/engine.h"
#include "host/host.h"
#include "proxy/logging/log.h"

namespace inlay::proxy::plugins {

// Thread-safe: one thread loads a module at a time, and others wait for as long as that takes. Destroyed after the
// plugins' last use, before the host.
class ModuleStore {
 public:
  // `host` and `log` outlive the store.
  ModuleStore(host::Host& host, logging::Logger& log, engine::EngineKind engine)
      : host_(host), log_(log), engine_(engine) {}
  ~ModuleStore() { end(); }
  ModuleStore(const ModuleStore&) = delete;
  ModuleStore& operator=(const ModuleStore&) = delete;

  // May compile for seconds. Errors name the plugin or the module's file: no code, no WebAssembly, no proxy-wasm
  // module, a plugin that refuses its configuration; kUnavailable after the stop, whatever else was wrong.
  Result<std::shared_ptr<host::Plugin>> create_plugin(const config::WasmPlugin& wasm);

  // Lets go of modules that no plugin has. Nothing happens while one is being loaded.
  void drop_unused();

  // Called with what is being done: "compiling filter.wasm". By the thread that create_plugin() is called on.
  void set_progress(std::function<void(std::string)> progress) { progress_ = std::move(progress); }
  // Stopping it ends the compilations, those in the background too, and what the interpreter runs of modules that are
  // being compiled; a call into native code goes on to its end or to its time limit. No module is loaded after it, and
  // no plugin started.
  std::stop_source& stop() { return stop_; }
  // Keeps a thread that is in create_plugin() for somebody who is gone, such as a configuration that was replaced while
  // its code was compiled: a stop would end what others compile as well.
  void outlive(std::jthread creating);
  // Stops, and returns when the threads that outlive() was given have ended. What they use besides this lives until
  // then.
  void end();

 private:
  Result<Unit> go_on(const config::WasmPlugin& wasm) const;
  Result<std::shared_ptr<host::Plugin>> start(const config::WasmPlugin& wasm, std::shared_ptr<engine::Module> module);
  Result<std::shared_ptr<engine::Module>> load(const config::WasmCode& code);

  host::Host& host_;
  logging::Logger& log_;
  const engine::EngineKind engine_;
  std::function<void(std::string)> progress_ = [](const std::string&) {};
  std::stop_source stop_;
  std::mutex threads_mutex_;
  std::vector<std::jthread> threads_;  // outlive()
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<engine::Module>> modules_;  // by the hash of their bytes
};

}  // namespace inlay::proxy::plugins
