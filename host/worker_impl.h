// SPDX-License-Identifier: Apache-2.0
#pragma once

// The insides of Worker: its VMs by key, its plugins, the pools of contexts. All on the worker's thread but
// Mailbox, by which other threads reach it.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "host/http_context_impl.h"
#include "host/tcp_context_impl.h"
#include "host/vm.h"

namespace inlay::host {

// Mailbox posts to a worker from any thread, for as long as the worker lives.
class Mailbox {
 public:
  explicit Mailbox(Worker::Impl& worker) : worker_(&worker) {}
  // Runs `task` on the worker's thread; never, if the worker is gone by then.
  static void post(const std::shared_ptr<Mailbox>& mailbox, std::function<void(Worker::Impl&)> task);
  void close();

 private:
  std::mutex mutex_;
  Worker::Impl* worker_;
};

// ContextPool keeps the contexts that are in use, and those that are not for the next stream.
template <class Flow>
class ContextPool {
 public:
  Flow& acquire() {
    if (FlowContext* const unused = FlowContext::take(unused_)) [[likely]]
      return static_cast<Flow&>(*unused);
    all_.push_back(std::make_unique<Flow>(unused_));
    return *all_.back();
  }

 private:
  std::vector<std::unique_ptr<Flow>> all_;
  FlowContext* unused_ = nullptr;
};

// WorkerPluginImpl: a plugin on a worker, with its failure policy.
class WorkerPluginImpl final : public WorkerPlugin {
 public:
  WorkerPluginImpl(Worker::Impl& worker, std::shared_ptr<const PluginImpl> plugin);

  const Plugin& plugin() const override { return *plugin_; }
  HttpContext* create_http_context(HttpStream& stream) override;
  TcpContext* create_tcp_context(TcpStream& stream) override;
  void log(HttpStream& stream) override;
  bool healthy() const override { return vm_ != nullptr; }

  const PluginImpl& impl() const { return *plugin_; }
  Worker::Impl& worker() { return worker_; }
  Vm* vm() const { return vm_; }
  RootContext* root() const { return root_; }  // nullptr without a VM
  // Streams of a dead VM go on without the guest (FAIL_OPEN) or are refused.
  bool fails_open() const { return plugin_->config().failure_policy == FailurePolicy::kFailOpen; }

  // Gets a VM and starts the plugin in it. On failure the policy rules from now on.
  void start();
  // The plugin had no code until now.
  void replace(std::shared_ptr<const PluginImpl> plugin);
  void vm_died() {
    dead_count_ = vm_->count();
    vm_ = nullptr;
    root_ = nullptr;
  }
  // FAIL_RELOAD: tries now, or when the back-off is over.
  void reload();

 private:
  // A context from `pool` for `stream`; nullptr: the flow passes without the guest.
  template <class Flow, class Stream>
  Flow* create_context(ContextPool<Flow>& pool, Stream& stream);
  // Envoy's way, on a request: true if the VM is back.
  bool reload_on_request();
  bool reload_now();
  bool reloads() const;
  void arm_reload();
  bool in_backoff() const;
  std::chrono::nanoseconds pick_backoff();

  Worker::Impl& worker_;
  std::shared_ptr<const PluginImpl> plugin_;
  Vm* vm_ = nullptr;
  RootContext* root_ = nullptr;
  // As in Envoy, a VM that died is active until another is in its place; not one that could not be started.
  std::shared_ptr<const VmCount> dead_count_;
  int64_t last_load_ = 0;                // monotonic ns
  std::chrono::nanoseconds backoff_{0};  // from last_load_
  std::unique_ptr<Timer> timer_;
  stats::Counter reload_success_;
  stats::Counter reload_failure_;
  stats::Counter reload_backoff_;
};

struct Worker::Impl {
  Impl(Host::Impl& h, WorkerServices& s);
  ~Impl();

  // The VM of that spec: the one that is there, or a new one.
  Result<Vm*> vm_for(const std::shared_ptr<const VmSpec>& spec);
  // The VM has trapped: its plugins fail, it goes to the graveyard, and waiting streams and reloads follow from the
  // event loop, where no frame of it is on the stack.
  void vm_failed(Vm& vm);
  // A plugin could not be started in this VM, or has left it: away with it unless others use it.
  void drop_if_unused(Vm& vm);
  // Worker::detach().
  void detach(const Plugin& plugin);
  bool has(const WorkerPluginImpl& plugin) const;
  // Out of `vms`; destroyed from the event loop.
  void bury(Vm& vm);

  Host::Impl& host;
  WorkerServices& services;
  std::shared_ptr<Mailbox> mailbox;
  std::map<std::string, std::unique_ptr<Vm>> vms;
  std::vector<std::unique_ptr<Vm>> graveyard;
  std::vector<std::unique_ptr<WorkerPluginImpl>> plugins;
  ContextPool<HttpContextImpl> streams;
  ContextPool<TcpContextImpl> connections;
  std::minstd_rand random;
};

}  // namespace inlay::host
