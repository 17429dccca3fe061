// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerVm: a plugin's VM for one of Envoy's workers, and what guests in it ask of a worker: timers, tasks, call-outs.
//
// A VM is bound to no thread. It is made on the main thread with the configuration, so that ticks and fetches do not
// wait for a request; streams enter it on their worker, ticks and answers on the module's thread. mutex() is held by
// whoever is in the guest, and with it everything of host/ that belongs to this VM. While it is held nothing of Envoy
// is called that can call back into the filter (envoy_abi.h: "re-enters").

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/buffer.h"
#include "dynamic_module/main_calls.h"
#include "dynamic_module/main_streams.h"
#include "dynamic_module/task_thread.h"
#include "host/embedder.h"
#include "host/host.h"

namespace inlay::dynamic_module {

class WorkerVm final : public host::WorkerServices, private host::Upstreams {
 public:
  // Starts the plugin. All outlive it; `thread` is stopped before it is destroyed.
  WorkerVm(host::Host& host, std::shared_ptr<host::Plugin> plugin, TaskThread& thread, MainCalls& calls,
           MainStreams& streams);
  // Ends the root contexts. There is no stream left.
  ~WorkerVm() override;

  std::mutex& mutex() { return mutex_; }
  // All of what follows with the lock held.
  host::WorkerPlugin& plugin() { return *plugin_; }
  // Counts call-outs that were started.
  uint64_t calls_started() const { return last_call_; }

  host::Upstreams& upstreams() override { return *this; }
  std::unique_ptr<host::Timer> create_timer(std::function<void()> on_fire) override;
  // Any thread, with or without the lock.
  void post(std::function<void()> task) override;
  // There are none: Envoy tells a module nothing of its node.
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;

 private:
  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) override;
  void cancel_http_call(uint64_t call_id) override { waiting_.erase(call_id); }
  void answer(uint64_t call_id, host::HttpCallResponse response);
  // Which clusters there are only the main thread knows: one that is not there answers as one without a healthy host.
  bool has_cluster(std::string_view) override { return true; }
  Result<uint64_t> start_call_stream(host::CallStreamRequest request, host::CallStreamHandler& handler) override;
  bool send_to_call_stream(uint64_t stream_id, Buffer& data, bool end_stream) override;
  void cancel_call_stream(uint64_t stream_id) override;
  void stream_event(uint64_t stream_id, MainStreams::Event& event);

  std::mutex mutex_;
  TaskThread& thread_;
  MainCalls& calls_;
  MainStreams& streams_;
  uint64_t last_call_ = 0;
  std::unordered_map<uint64_t, host::HttpCallHandler*> waiting_;
  struct CallStream {
    host::CallStreamHandler* handler;
    MainStreams::HandlePtr handle;
  };
  std::unordered_map<uint64_t, CallStream> call_streams_;
  std::unique_ptr<host::Worker> worker_;
  host::WorkerPlugin* plugin_ = nullptr;
};

}  // namespace inlay::dynamic_module
