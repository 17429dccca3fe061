// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "host/worker_impl.h"

namespace inlay::host {
namespace {

std::string_view policy_name(FailurePolicy policy) {
  switch (policy) {
    case FailurePolicy::kFailOpen:
      return "FAIL_OPEN";
    case FailurePolicy::kFailReload:
      return "FAIL_RELOAD";
    case FailurePolicy::kFailClosed:
      break;
  }
  return "FAIL_CLOSED";
}

}  // namespace

void Mailbox::post(const std::shared_ptr<Mailbox>& mailbox, std::function<void(Worker::Impl&)> task) {
  const std::lock_guard lock(mailbox->mutex_);
  if (mailbox->worker_ == nullptr) return;
  mailbox->worker_->services.post([mailbox, task = std::move(task)] {
    if (mailbox->worker_ != nullptr) task(*mailbox->worker_);  // This thread alone closes the mailbox.
  });
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  worker_ = nullptr;
}

Worker::Impl::Impl(Host::Impl& h, WorkerServices& s)
    : host(h),
      services(s),
      mailbox(std::make_shared<Mailbox>(*this)),
      random(static_cast<uint32_t>(h.options.clock->system_time()) | 1) {}

Worker::Impl::~Impl() {
  mailbox->close();
  const auto all = std::move(vms);  // vm_failed() must not find what we walk over.
  vms.clear();
  // The last plugin's root context goes first, as in Envoy. One that several plugins have goes with the first of them.
  for (size_t i = plugins.size(); i-- > 0;) {
    RootContext* const root = plugins[i]->root();
    const bool shared = std::any_of(plugins.begin(), plugins.begin() + static_cast<ptrdiff_t>(i),
                                    [&](const auto& other) { return other->root() == root; });
    if (root != nullptr && !shared) root->vm->shut_down(*root);
  }
  services.flush_calls();
  for (const auto& [key, vm] : all) (void)vm->detach_flows();
}

Result<Vm*> Worker::Impl::vm_for(const std::shared_ptr<const VmSpec>& spec) {
  if (auto found = vms.find(spec->key); found != vms.end()) return found->second.get();
  INLAY_TRY(auto vm, Vm::create(host, spec, this));
  return vms.emplace(spec->key, std::move(vm)).first->second.get();
}

void Worker::Impl::bury(Vm& vm) {
  auto found = vms.find(vm.spec().key);
  if (found == vms.end() || found->second.get() != &vm) return;
  graveyard.push_back(std::move(found->second));
  vms.erase(found);
}

void Worker::Impl::drop_if_unused(Vm& vm) {
  const bool used = std::any_of(plugins.begin(), plugins.end(), [&](const auto& p) { return p->vm() == &vm; });
  if (used || vm.dead()) return;
  vm.disarm();
  bury(vm);
  Mailbox::post(mailbox, [](Impl& worker) { worker.graveyard.clear(); });
}

void Worker::Impl::vm_failed(Vm& vm) {
  std::vector<WorkerPluginImpl*> failed;
  std::string names;
  for (const auto& plugin : plugins) {
    if (plugin->vm() != &vm) continue;
    failed.push_back(plugin.get());
    const PluginConfig& config = plugin->impl().config();
    const std::string& named = config.name.empty() ? config.root_id : config.name;
    names.append(names.empty() ? "" : ", ").append(named.empty() ? "without a name" : named).append(" (");
    names.append(policy_name(config.failure_policy)).append(")");
    plugin->vm_died();
  }
  host.log(abi::LogLevel::kError, "the VM of plugin " + (names.empty() ? vm.spec().vm_id : names) +
                                      " has failed: " + vm.trap_message() +
                                      (vm.trap_backtrace().empty() ? "" : "\nbacktrace:\n" + vm.trap_backtrace()));

  struct Waiting {
    FlowContext* context;
    uint64_t serial;
  };
  std::vector<Waiting> waiting;
  // Envoy answers none of them.
  for (FlowContext* context : vm.detach_flows())
    if (!host.options.envoy_strict) waiting.push_back({context, context->serial()});
  vm.disarm();
  bury(vm);
  Mailbox::post(mailbox, [waiting = std::move(waiting), failed = std::move(failed)](Impl& worker) {
    worker.graveyard.clear();
    for (const Waiting& w : waiting)
      if (w.context->serial() == w.serial) w.context->resolve_dead();
    for (WorkerPluginImpl* plugin : failed)
      if (worker.has(*plugin)) plugin->reload();
  });
}

bool Worker::Impl::has(const WorkerPluginImpl& plugin) const {
  return std::any_of(plugins.begin(), plugins.end(), [&](const auto& one) { return one.get() == &plugin; });
}

void Worker::Impl::detach(const Plugin& plugin) {
  const auto found =
      std::find_if(plugins.begin(), plugins.end(), [&](const auto& p) { return &p->plugin() == &plugin; });
  if (found == plugins.end()) return;
  const auto gone = std::move(*found);
  plugins.erase(found);
  Vm* const vm = gone->vm();
  RootContext* const root = gone->root();
  if (vm == nullptr) return;
  const bool shared = std::any_of(plugins.begin(), plugins.end(), [&](const auto& p) { return p->root() == root; });
  if (root != nullptr && !shared) vm->end(*root);
  drop_if_unused(*vm);
}

Worker::Worker(Host& host, WorkerServices& services) : impl_(std::make_unique<Impl>(host.impl(), services)) {}
Worker::~Worker() = default;

void Worker::replace(const Plugin& without_code, std::shared_ptr<Plugin> plugin) {
  for (const auto& attached : impl_->plugins) {
    if (&attached->plugin() != &without_code) continue;
    attached->replace(std::static_pointer_cast<const PluginImpl>(std::move(plugin)));
    return;
  }
}

void Worker::detach(const Plugin& plugin) {
  impl_->detach(plugin);
}

WorkerPlugin* Worker::attach(std::shared_ptr<Plugin> plugin) {
  for (const auto& attached : impl_->plugins)
    if (&attached->plugin() == plugin.get()) return attached.get();
  auto made = std::make_unique<WorkerPluginImpl>(*impl_, std::static_pointer_cast<const PluginImpl>(plugin));
  impl_->plugins.push_back(std::move(made));
  impl_->plugins.back()->start();
  return impl_->plugins.back().get();
}

}  // namespace inlay::host
