// SPDX-License-Identifier: Apache-2.0
#pragma once

// TestProxy: a proxy for filter tests, without a socket and without real time. It runs any proxy-wasm module on the
// real host; a test drives callbacks and then asks what happened.
//
//     TestProxy proxy;
//     proxy.worker().upstreams().answer("auth", "/token", {.body = "secret"});
//     auto* plugin = proxy.load(wasm_bytes, {.name = "my_filter", .configuration = "{...}"});
//     proxy.advance(5s);                                      // ticks and answers come
//     auto stream = proxy.stream(*plugin, {{":path", "/"}});
//     EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
//     EXPECT_EQ(proxy.log().count("poll"), 1u);
//
// All on one thread, with any number of workers. Nothing happens by itself: what is posted runs in run(), timers and
// answers come in advance(). Everything that it hands out ends with it, but streams and connections, which the test
// owns and ends first.

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "host/host.h"
#include "testkit/clock.h"
#include "testkit/connection.h"
#include "testkit/log.h"
#include "testkit/stream.h"
#include "testkit/worker.h"

namespace inlay::testkit {

// ProxyOptions: as host::HostOptions, but for the time that a call into a guest may take: that is real time, and no
// test is to depend on what else the machine does. One that is about the limit sets it. At least one worker.
struct ProxyOptions {
  size_t workers = 1;
  engine::EngineKind engine = engine::EngineKind::kAuto;
  engine::Limits limits{.call_budget = std::chrono::minutes(1)};
  bool envoy_strict = false;
  bool compat_legacy_properties = false;
  bool fail_hazards = false;
};

class TestProxy {
 public:
  explicit TestProxy(ProxyOptions options = {});

  // Compiles, checks (canary) and attaches a plugin to every worker. The pointer is the first worker's. Errors: those
  // of compiler::load_module and host::Host::create_plugin.
  Result<host::WorkerPlugin*> load(std::span<const uint8_t> wasm, host::PluginConfig config);
  // The same for a module that is loaded: plugins that share it, vm_id and vm_configuration share VMs.
  Result<host::WorkerPlugin*> load(std::shared_ptr<engine::Module> module, host::PluginConfig config);
  Result<std::shared_ptr<engine::Module>> compile(std::span<const uint8_t> wasm) const;
  // The plugin that was loaded last, on another worker.
  host::WorkerPlugin* attached(size_t worker) { return attached_.at(worker); }

  // A request with these headers, or a connection, that begins in the plugin; its callbacks are the test's to call.
  std::unique_ptr<TestStream> stream(host::WorkerPlugin& plugin, const HeaderList& headers);
  std::unique_ptr<TestConnection> connection(host::WorkerPlugin& plugin);

  // Runs what is posted; time stands still.
  void run();
  // Moves time on, running every timer and answer when it is due, in order.
  void advance(std::chrono::nanoseconds by);

  TestWorker& worker(size_t i = 0) { return *workers_.at(i); }
  VirtualClock& clock() { return clock_; }
  RecordingLog& log() { return log_; }
  stats::MetricStore& metrics() { return metrics_; }
  host::Host& host() { return *host_; }
  // A counter's or gauge's value; 0 if there is none of that name.
  int64_t metric(std::string_view name) const;

 private:
  ProxyOptions options_;
  VirtualClock clock_;
  RecordingLog log_;
  stats::MetricStore metrics_;
  std::unique_ptr<host::Host> host_;
  std::vector<std::unique_ptr<TestWorker>> workers_;
  std::vector<host::WorkerPlugin*> attached_;
};

}  // namespace inlay::testkit
