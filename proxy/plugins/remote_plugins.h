// SPDX-License-Identifier: Apache-2.0
#pragma once

// RemotePlugins: plugins whose code is fetched. Until it has come, a placeholder stands for the plugin, whose failure
// policy answers.
//
//     RemotePlugins plugins(loop, remote_code, modules, host, log, observer);
//     INLAY_TRY(auto plugin, plugins.create(config));      // the plugin itself, or a placeholder
//     plugins.start();                                     // fetches; the observer is told
//
// A module is compiled, and the canary run, on a thread of its own. After a failed fetch it is tried again later, for
// as long as it takes.

#include <chrono>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "host/host.h"
#include "net/event_loop.h"
#include "proxy/logging/log.h"
#include "proxy/plugins/module_store.h"
#include "proxy/plugins/remote_code.h"

namespace inlay::proxy::plugins {

// The plugin with the bytes that its remote code stands for.
config::WasmPlugin with_code(const config::WasmPlugin& wasm, Code code);

// Loop thread only.
class RemotePlugins {
 public:
  // Calls come from the loop.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The plugin that `placeholder` stood for.
    virtual void on_plugin(const std::shared_ptr<host::Plugin>& placeholder, std::shared_ptr<host::Plugin> plugin) = 0;
    // What waited for the plugin need not wait any longer: it is here (after on_plugin), or its first fetch has failed.
    virtual void on_settled(const host::Plugin& placeholder) = 0;
  };

  // All outlive this.
  RemotePlugins(net::EventLoop& loop, RemoteCode& code, ModuleStore& modules, host::Host& host, logging::Logger& log,
                Observer& observer);
  ~RemotePlugins();  // what is being compiled goes on, for nobody (ModuleStore::outlive)
  RemotePlugins(const RemotePlugins&) = delete;
  RemotePlugins& operator=(const RemotePlugins&) = delete;

  // The plugin, if its code is cached (errors: ModuleStore::create_plugin's); else a placeholder. `wasm` has remote
  // code and outlives this.
  Result<std::shared_ptr<host::Plugin>> create(const config::WasmPlugin& wasm);
  // Whether this is a placeholder for something that is worth waiting for.
  bool worth_waiting_for(const host::Plugin& plugin) const;
  void start();

 private:
  struct Missing;
  void fetch(Missing& missing);
  void on_code(Missing& missing, const Result<Code>& code);
  void on_compiled(Missing& missing, Result<std::shared_ptr<host::Plugin>> plugin);
  void settle(Missing& missing);

  net::EventLoop& loop_;
  RemoteCode& code_;
  ModuleStore& modules_;
  host::Host& host_;
  logging::Logger& log_;
  Observer& observer_;
  std::list<Missing> missing_;
  std::shared_ptr<bool> alive_;
};

}  // namespace inlay::proxy::plugins
