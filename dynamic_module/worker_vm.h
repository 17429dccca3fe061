// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerVm: a VM for one of Envoy's workers, and what guests in it ask of a worker: timers, tasks, call-outs. The
// plugins of several configurations may be in it (vm_set.h).
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

// VmMember is what a configuration has to send call-outs by: they are Envoy's filter configuration's.
struct VmMember {
  MainCalls& calls;
  MainStreams& streams;
};

class WorkerVm final : public host::WorkerServices, private host::Upstreams {
 public:
  // Both outlive it; `thread` is stopped before it is destroyed.
  WorkerVm(host::Host& host, std::string node, TaskThread& thread);
  // Everybody has left.
  ~WorkerVm() override;

  // VmSet's, for this worker. Without the lock.
  host::WorkerPlugin* join(VmMember* member, std::shared_ptr<host::Plugin> plugin);
  void leave(VmMember* member, const host::Plugin& plugin);

  // Recursive: a change of a body may bring the hooks of the next filter, which may be of the same VM.
  std::recursive_mutex& mutex() { return mutex_; }
  // All of what follows with the lock held.
  // Counts call-outs that were started.
  uint64_t calls_started() const { return last_call_; }

  host::Upstreams& upstreams() override { return *this; }
  std::unique_ptr<host::Timer> create_timer(std::function<void()> on_fire) override;
  // Any thread, with or without the lock.
  void post(std::function<void()> task) override;
  // Those of the node (node.h).
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;

 private:
  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) override;
  void cancel_http_call(uint64_t call_id) override { waiting_.erase(call_id); }
  // By which calls go: the configuration that came last.
  VmMember* member() { return members_.empty() ? nullptr : members_.back(); }
  // What went by that member will have no answer.
  void reset_calls_of(const VmMember& member);
  void answer(uint64_t call_id, host::HttpCallResponse response);
  // Which clusters there are only the main thread knows: one that is not there answers as one without a healthy host.
  bool has_cluster(std::string_view) override { return true; }
  Result<uint64_t> start_call_stream(host::CallStreamRequest request, host::CallStreamHandler& handler) override;
  bool send_to_call_stream(uint64_t stream_id, Buffer& data, bool end_stream) override;
  void cancel_call_stream(uint64_t stream_id) override;
  void stream_event(uint64_t stream_id, MainStreams::Event& event);

  struct Call {
    host::HttpCallHandler* handler;
    const VmMember* by;
  };
  struct CallStream {
    host::CallStreamHandler* handler;
    MainStreams::HandlePtr handle;
    VmMember* by;
  };

  std::recursive_mutex mutex_;
  const std::string node_;
  TaskThread& thread_;
  std::vector<VmMember*> members_;
  uint64_t last_call_ = 0;
  std::unordered_map<uint64_t, Call> waiting_;
  std::unordered_map<uint64_t, CallStream> call_streams_;
  std::unique_ptr<host::Worker> worker_;
};

}  // namespace inlay::dynamic_module
