// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "host/worker_impl.h"

namespace inlay::host {

using std::chrono::nanoseconds;

WorkerPluginImpl::WorkerPluginImpl(Worker::Impl& worker, std::shared_ptr<const PluginImpl> plugin)
    : worker_(worker), plugin_(std::move(plugin)) {
  const Host::Impl& host = worker_.host;
  const std::string prefix = "wasm." + plugin_->config().name + ".vm_reload_";
  reload_success_ = stats::Counter(host.metric(abi::MetricType::kCounter, prefix + "success"));
  reload_failure_ = stats::Counter(host.metric(abi::MetricType::kCounter, prefix + "failure"));
  reload_backoff_ = stats::Counter(host.metric(abi::MetricType::kCounter, prefix + "backoff"));
}

void WorkerPluginImpl::replace(std::shared_ptr<const PluginImpl> plugin) {
  plugin_ = std::move(plugin);
  start();
}

void WorkerPluginImpl::start() {
  if (!plugin_->module()) return;
  const auto dead_before = dead_count_;
  last_load_ = worker_.host.options.clock->monotonic_time();
  backoff_ = pick_backoff();
  auto fail = [&](const Error& error) {
    Vm* const unstarted = std::exchange(vm_, nullptr);
    if (unstarted != nullptr) worker_.drop_if_unused(*unstarted);
    dead_count_ = dead_before;  // not the one that has failed just now
    worker_.host.log(abi::LogLevel::kError,
                     "plugin " + plugin_->config().name + " could not be started: " + error.to_string());
    if (reloads()) arm_reload();
  };
  auto vm = worker_.vm_for(plugin_->spec());
  if (!vm) return fail(vm.error());
  vm_ = *vm;
  auto root = vm_->start(plugin_);
  if (!root) return fail(root.error());
  root_ = *root;
  dead_count_.reset();
}

nanoseconds WorkerPluginImpl::pick_backoff() {
  const nanoseconds base = plugin_->config().reload_backoff;
  return base + nanoseconds(std::uniform_int_distribution<int64_t>(
                    0, std::max<int64_t>(base.count() / 2, 1) - 1)(worker_.random));
}

bool WorkerPluginImpl::in_backoff() const {
  return worker_.host.options.clock->monotonic_time() - last_load_ < backoff_.count();
}

// In strict mode it is the next request that reloads.
bool WorkerPluginImpl::reloads() const {
  return plugin_->config().failure_policy == FailurePolicy::kFailReload && !worker_.host.options.envoy_strict;
}

void WorkerPluginImpl::reload() {
  if (vm_ != nullptr || !reloads()) return;
  if (in_backoff())
    arm_reload();
  else
    reload_now();
}

void WorkerPluginImpl::arm_reload() {
  const nanoseconds left(last_load_ + backoff_.count() - worker_.host.options.clock->monotonic_time());
  if (!timer_) timer_ = worker_.services.create_timer([this] { reload(); });
  timer_->arm(std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(1)));
}

bool WorkerPluginImpl::reload_now() {
  start();
  const bool up = vm_ != nullptr;
  (up ? reload_success_ : reload_failure_).add();
  if (up) worker_.host.log(abi::LogLevel::kInfo, "plugin " + plugin_->config().name + " has been reloaded");
  return up;
}

bool WorkerPluginImpl::reload_on_request() {
  if (plugin_->config().failure_policy != FailurePolicy::kFailReload || !plugin_->module()) return false;
  if (in_backoff()) {
    reload_backoff_.add();
    return false;
  }
  return worker_.host.options.envoy_strict && reload_now();
}

void WorkerPluginImpl::log(HttpStream& stream) {
  if (vm_ != nullptr || reload_on_request()) root_->log(stream);
}

template <class Flow, class Stream>
Flow* WorkerPluginImpl::create_context(ContextPool<Flow>& pool, Stream& stream) {
  if (vm_ == nullptr && !reload_on_request()) {
    if (fails_open()) return nullptr;
    Flow& context = pool.acquire();
    context.begin(*this, stream, nullptr);
    return &context;
  }
  Flow& context = pool.acquire();
  context.begin(*this, stream, root_);
  if (context.vm == nullptr && context.policy() == FlowContext::Outcome::kContinue) {  // It trapped at once.
    context.end();
    return nullptr;
  }
  return &context;
}

HttpContext* WorkerPluginImpl::create_http_context(HttpStream& stream) {
  return create_context(worker_.streams, stream);
}

TcpContext* WorkerPluginImpl::create_tcp_context(TcpStream& stream) {
  return create_context(worker_.connections, stream);
}

}  // namespace inlay::host
