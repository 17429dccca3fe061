// SPDX-License-Identifier: Apache-2.0
#pragma once

// The proxy-wasm host: runs modules of ABI 0.1.0, 0.2.0 and 0.2.1 (proxy-wasm/spec) as Envoy 1.40 does.
//
//   Host          one for the process: shared data, shared queues, metrics, the check of a new plugin
//   Plugin        a configured plugin: immutable configuration and its module; shared by all workers
//   Worker        one for each worker thread: its VMs, timers, call-outs
//   WorkerPlugin  a Plugin on a Worker: the root context in a VM, the failure policy, reloads
//   HttpContext   an HTTP stream in a WorkerPlugin
//   TcpContext    a TCP connection in a WorkerPlugin (host/tcp.h)
//
// A Host outlives its Plugins and Workers; a Worker keeps the Plugins that are attached to it, and owns its
// WorkerPlugins and contexts. Host and Plugin may be used by any thread; all else belongs to the thread that has made
// its Worker. host/embedder.h has what the host asks of the program around it; host/standalone.h is that for a program
// without an event loop.
//
//     // Runs the module's plugin on the headers of a request; the status that it answers with, or 0.
//     Result<uint32_t> filter(Host& host, WorkerServices& services, std::shared_ptr<engine::Module> module,
//                             StandaloneRequest& request) {
//       INLAY_TRY(auto plugin, host.create_plugin({.name = "tenant", .root_id = "tenant"}, std::move(module)));
//       Worker worker(host, services);  // a server makes one on each of its threads, and keeps it
//       WorkerPlugin* const here = worker.attach(plugin);
//       HttpContext* const context = here->create_http_context(request);
//       if (context == nullptr) return 0u;  // FAIL_OPEN: the request passes this filter by
//       const bool goes_on = context->on_request_headers(true) == abi::HeadersStatus::kContinue;
//       context->on_log();
//       context->destroy();
//       return goes_on || !request.local_reply ? 0u : request.local_reply->status;
//     }

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
enum class FailurePolicy : uint8_t {
  kFailClosed,  // a request is answered with 503, a connection is closed
  kFailOpen,    // they go on without the plugin
  kFailReload,  // as kFailClosed until the VM has been made anew, which is tried after PluginConfig::reload_backoff
};

// PluginConfig: extensions/wasm/v3 PluginConfig and VmConfig, resolved (no file names, no protobuf). Plugins whose VM
// has the same vm_id, configuration, module, environment and capabilities share one VM on each worker.
struct PluginConfig {
  std::string name{};              // for logs and statistics
  std::string root_id{};           // which of the module's root contexts
  std::string vm_id{};             // whose shared data and queues; of any number of VMs
  std::string runtime{};           // as configured, for the names of statistics; empty: "envoy.wasm.runtime.v8"
  std::string vm_configuration{};  // bytes, for on_vm_start
  std::string configuration{};     // bytes, for on_configure
  FailurePolicy failure_policy = FailurePolicy::kFailClosed;
  bool legacy_fail_open = false;  // kFailOpen was written as `fail_open: true`, which Envoy takes for more
  // kFailReload: the least time from one start to the next; up to half of it is added at random.
  std::chrono::milliseconds reload_backoff{1000};
  std::map<std::string, std::string> environment{};  // by name; resolved
  // Host functions and callbacks that the guest may use, by name; nullopt, and an empty set, as in Envoy: all.
  std::optional<std::set<std::string>> allowed_capabilities{};
  // on_request_headers and on_response_headers may return kStopIteration; else it is taken for
  // kStopAllIterationAndWatermark.
  bool allow_on_headers_stop_iteration = false;
  // What else Envoy's plugin key has: the rest of PluginConfig, traffic direction and listener metadata.
  std::string key_suffix{};
};

// HostOptions: what a Host is made with.
struct HostOptions {
  stats::MetricStore* metrics = nullptr;  // not null; outlives the host
  const Clock* clock = nullptr;           // not null; outlives the host
  Log* log = nullptr;                     // not null; outlives the host
  engine::Limits limits{};                // of each VM
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

// Plugin is immutable; any thread. Host makes it.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual const PluginConfig& config() const = 0;
  virtual const std::shared_ptr<engine::Module>& module() const = 0;  // null: without code
  // What the module is linked for; of no meaning without code.
  virtual abi::Version abi_version() const = 0;
  // Plugins of equal keys share one VM on each worker.
  virtual const std::string& vm_key() const = 0;
};

// Host: thread-safe. Outlives its plugins and workers.
class Host {
 public:
  explicit Host(HostOptions options);
  ~Host();

  // Checks that the module is a proxy-wasm module (ABI version export, allocator, known imports), then runs the canary:
  // a VM of its own, on this thread, with on_vm_start and on_configure, which is thrown away. Its timers do not fire
  // and its calls are not sent. A plugin that has passed is not tried again while its module lives. Errors begin with
  // "unable to create Wasm plugin NAME": kInvalidArgument if it is not a proxy-wasm module, with all that is wrong; and
  // the engine's or the guest's, when the VM cannot be made, traps, or refuses its configuration.
  Result<std::shared_ptr<Plugin>> create_plugin(PluginConfig config, std::shared_ptr<engine::Module> module);
  // A plugin whose module is not there yet, or not at all: attached to a worker it has no VM, and its failure policy
  // answers until Worker::replace().
  std::shared_ptr<Plugin> create_plugin_without_code(PluginConfig config);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// HttpContext is one stream's context in a guest. Owned by its Worker; ends with destroy(), after which the pointer
// must not be used. Call it in the order of the stream: a direction's next callback when the one before has returned
// kContinue, or HttpStream::continue_stream() was called since. on_log() and destroy() end the stream wherever it is.
//
// The returned statuses are ready to act on: they are mapped as docs/reference/abi.md says. When the guest has answered
// locally, or has trapped and the failure policy refuses the stream, they are a Stop, and the reply has been given to
// HttpStream::send_local_reply() already. When it has trapped and the policy is to go on, they are kContinue.
class HttpContext {
 public:
  // The headers are HttpStream::headers() of that direction. `end_of_stream`: neither body nor trailers follow.
  abi::HeadersStatus on_request_headers(bool end_of_stream);
  // HttpStream::body() has the bytes to see, `size` of them: this piece, or with kStopIterationAndBuffer all that is
  // held. `end_of_stream`: neither body nor trailers follow.
  abi::DataStatus on_request_body(size_t size, bool end_of_stream);
  abi::TrailersStatus on_request_trailers();
  abi::HeadersStatus on_response_headers(bool end_of_stream);
  abi::DataStatus on_response_body(size_t size, bool end_of_stream);
  abi::TrailersStatus on_response_trailers();
  // Whether the callback has to be called: false if the guest does not export it, so that there is nothing to wait for.
  // True also for a stream that is to be refused and has not been.
  bool wants_request_body() const;
  bool wants_response_headers() const;
  bool wants_response_body() const;

  // The guest's on_log, which may read all of the stream and change nothing. Call it once, before destroy(), or not at
  // all for a stream that is not to be logged.
  void on_log();
  // The guest's on_done and on_delete. The host does not touch the HttpStream any more.
  void destroy();

 protected:
  HttpContext() = default;
  ~HttpContext() = default;
};

// WorkerPlugin: on its worker's thread only; Worker owns it.
class WorkerPlugin {
 public:
  virtual ~WorkerPlugin() = default;
  virtual const Plugin& plugin() const = 0;
  // Starts a stream, with the guest's on_context_create. nullptr: leave this filter out of the stream's chain
  // (FAIL_OPEN). When the policy is to refuse, a context is returned whose first callback sends the 503. `stream` lives
  // until HttpContext::destroy().
  virtual HttpContext* create_http_context(HttpStream& stream) = 0;
  // The same for a connection: a context whose first callback closes it, or nullptr.
  virtual TcpContext* create_tcp_context(TcpStream& stream) = 0;
  // For an access logger: on_log of the root context, which sees `stream` for as long as that lasts. Nothing when the
  // VM is down.
  virtual void log(HttpStream& stream) = 0;
  // Whether there is a VM: false when it could not be started, and after a trap until it is reloaded.
  virtual bool healthy() const = 0;
};

// Worker: made, used and destroyed on one thread. Destroy its contexts first.
class Worker {
 public:
  // Both outlive the worker.
  Worker(Host& host, WorkerServices& services);
  // Ends the root contexts, the last plugin's first: on_done, and on_delete unless on_done asked to wait, as Envoy does
  // at its end. Then WorkerServices::flush_calls(); answers are dropped.
  ~Worker();
  // Starts the plugin here: makes the VM (or shares the one with the same VM key), on_context_create, on_vm_start,
  // on_configure. A failure is logged and left to the plugin's failure policy. The pointer is valid as long as the
  // worker. Attaching it once more gives the same one.
  WorkerPlugin* attach(std::shared_ptr<Plugin> plugin);
  // Gives the plugin that was attached without code its code: `plugin` takes the place of `without_code`, and is
  // started as by attach(). The WorkerPlugin stays the same object. Nothing happens if that was never attached here.
  void replace(const Plugin& without_code, std::shared_ptr<Plugin> plugin);
  // Undoes attach(), for which no stream of the plugin may be left: ends its root context as ~Worker does, unless
  // another plugin has the same, and the VM with its last plugin. Answers to calls of that root context are dropped.
  // Not from inside of a guest's callback. Nothing happens if the plugin is not attached.
  void detach(const Plugin& plugin);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace inlay::host
