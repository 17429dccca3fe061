// SPDX-License-Identifier: Apache-2.0
#pragma once

// The proxy-wasm host: the front door of this room.
//
//   Host          one a process: shared data, queues, metrics, loaded modules (base VMs), the canary check
//   Plugin        one a configured plugin: immutable configuration and its module; shared by all workers
//   Worker        one a worker thread: its VMs, timers, call-outs
//   WorkerPlugin  a Plugin on a Worker: the root context in a VM, the failure policy, reloads
//   HttpContext   one stream in a WorkerPlugin
//   TcpContext    one connection in a WorkerPlugin (host/tcp.h)
//
//     Host host({.metrics = store, .clock = clock, .log = log});
//     auto plugin = host.create_plugin(config, module);      // main thread: base VM and canary
//     Worker worker(host, services);                         // on each worker's thread
//     WorkerPlugin* wp = worker.attach(*plugin);             // clone, on_vm_start, on_configure
//     HttpContext* ctx = wp->create_http_context(stream);    // a request: nullptr means "bypass this filter"
//     switch (ctx->on_request_headers(end_stream)) ...
//     ctx->destroy();                                        // log, done, delete

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "base/result.h"
#include "engine/engine.h"
#include "host/embedder.h"
#include "stats/metrics.h"

namespace inlay::host {

// FailurePolicy: what happens to streams when their VM has trapped or could not be started (docs/guide/plugins.md).
enum class FailurePolicy : uint8_t { kFailClosed, kFailOpen, kFailReload };

// PluginConfig: extensions/wasm/v3 PluginConfig and VmConfig, resolved (no file names, no protobuf).
struct PluginConfig {
  std::string name{};
  std::string root_id{};
  std::string vm_id{};
  std::string runtime{};           // as configured, for the names of statistics; empty: "envoy.wasm.runtime.v8"
  std::string vm_configuration{};  // bytes
  std::string configuration{};     // bytes
  FailurePolicy failure_policy = FailurePolicy::kFailClosed;
  bool legacy_fail_open = false;  // kFailOpen was written as `fail_open: true`, which Envoy takes for more
  std::chrono::milliseconds reload_backoff{1000};
  std::map<std::string, std::string> environment{};             // resolved
  std::optional<std::set<std::string>> allowed_capabilities{};  // nullopt: all
  bool allow_on_headers_stop_iteration = false;
  // What else Envoy's plugin key has: the rest of PluginConfig, traffic direction and listener metadata.
  std::string key_suffix{};
};

struct HostOptions {
  stats::MetricStore* metrics = nullptr;  // not null; outlives the host
  const Clock* clock = nullptr;           // not null; outlives the host
  Log* log = nullptr;                     // not null; outlives the host
  engine::Limits limits{};
  bool envoy_strict = false;              // --envoy-strict: Envoy's behaviour even where it is plainly a defect
  bool compat_legacy_properties = false;  // --compat-legacy-properties
  bool fail_hazards = false;              // --hazards=fail (host/hazards.h)
  // Root context attributes where there is no worker, which is in the canary; as WorkerServices::get_property. Any
  // thread. Empty: there are none.
  std::function<abi::Status(const std::vector<std::string_view>& path, std::string& value)> root_property{};
};

class Host;
class TcpContext;
class TcpStream;
class Worker;
class WorkerPlugin;

// Plugin is immutable; share it between threads.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual const PluginConfig& config() const = 0;
  virtual const std::shared_ptr<engine::Module>& module() const = 0;  // null: without code
  virtual abi::Version abi_version() const = 0;
};

// Host: thread-safe. Outlives its plugins and workers.
class Host {
 public:
  explicit Host(HostOptions options);
  ~Host();

  // Checks that the module is a proxy-wasm module (ABI version export, allocator, known imports; the error names all
  // that is wrong), then runs the canary: a fresh instance with on_vm_start and on_configure, which is dropped.
  // `services` serves the canary (its timers and calls are not started). Result cached by plugin key.
  Result<std::shared_ptr<Plugin>> create_plugin(PluginConfig config, std::shared_ptr<engine::Module> module);
  // A plugin whose module is not there yet, or not at all: attached to a worker it has no VM, and its failure policy
  // answers until Worker::replace().
  std::shared_ptr<Plugin> create_plugin_without_code(PluginConfig config);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// HttpContext is one stream's context in a guest. Owned by its WorkerPlugin; ends with destroy().
//
// The returned statuses are ready to act on: they are mapped as docs/reference/abi.md says, and when the guest answered
// locally or trapped they are a Stop, with the reply (deferred to after the guest's return) already handed to the
// stream.
class HttpContext {
 public:
  abi::HeadersStatus on_request_headers(bool end_of_stream);
  // `stream.body()` holds the bytes to see; `size` is their number.
  abi::DataStatus on_request_body(size_t size, bool end_of_stream);
  abi::TrailersStatus on_request_trailers();
  abi::HeadersStatus on_response_headers(bool end_of_stream);
  abi::DataStatus on_response_body(size_t size, bool end_of_stream);
  abi::TrailersStatus on_response_trailers();
  // Whether the guest exports the callback at all: a filter without body callbacks need not be asked.
  bool wants_request_body() const;
  bool wants_response_headers() const;
  bool wants_response_body() const;

  // The access-log phase: on_log, once, before destroy().
  void on_log();
  // on_done and on_delete. The context is gone for the caller.
  void destroy();

 protected:
  HttpContext() = default;
  ~HttpContext() = default;
};

// WorkerPlugin: single-threaded, on its worker's thread.
class WorkerPlugin {
 public:
  virtual ~WorkerPlugin() = default;
  virtual const Plugin& plugin() const = 0;
  // Starts a stream. nullptr: leave this filter out of the stream's chain (FAIL_OPEN). When the policy is to refuse,
  // a context is returned whose first callback sends the 503.
  virtual HttpContext* create_http_context(HttpStream& stream) = 0;
  // The same for a connection: a context whose first callback closes it, or nullptr.
  virtual TcpContext* create_tcp_context(TcpStream& stream) = 0;
  // For an access logger: on_log of the root context, which sees `stream` for as long as that lasts. Nothing when the
  // VM is down.
  virtual void log(HttpStream& stream) = 0;
  // The VM is up (false after a trap until it is reloaded).
  virtual bool healthy() const = 0;
};

// Worker: made, used and destroyed on one thread.
class Worker {
 public:
  Worker(Host& host, WorkerServices& services);
  ~Worker();
  // Starts the plugin here: clones the VM (or shares the one with the same VM key), on_context_create, on_vm_start,
  // on_configure. A failure falls to the plugin's failure policy. The pointer lives as long as the worker.
  WorkerPlugin* attach(std::shared_ptr<Plugin> plugin);
  // The code has come: `plugin` takes the place of one that was attached without code, if it was, and is started as by
  // attach(). The WorkerPlugin stays the same object.
  void replace(const Plugin& without_code, std::shared_ptr<Plugin> plugin);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace inlay::host
