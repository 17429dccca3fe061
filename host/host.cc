// SPDX-License-Identifier: Apache-2.0
#include "host/host.h"

#include "host/functions.h"
#include "host/host_impl.h"
#include "host/module_check.h"
#include "host/vm.h"

namespace inlay::host {
namespace {

constexpr std::string_view kDefaultRuntime = "envoy.wasm.runtime.v8";

// Parts of any bytes, so that no two lists of parts make the same key.
void append_key(std::string& key, std::string_view part) {
  key.append(std::to_string(part.size())).append(":").append(part);
}

// A restriction that leaves the guest without a single callback makes a plugin that does nothing: easily done, since
// the list is of imports and exports alike.
bool is_deaf(const VmSpec& spec) {
  bool has_callback = false;
  for (const engine::Export& e : spec.module->exports()) {
    if (e.kind != engine::ExternKind::kFunction || !e.name.starts_with("proxy_on_") ||
        e.name == "proxy_on_memory_allocate")
      continue;
    has_callback = true;
    if (spec.allows(e.name)) return false;
  }
  return has_callback;
}

std::string vm_key(const VmSpec& spec) {
  std::string key;
  append_key(key, spec.vm_id);
  append_key(key, spec.vm_configuration);
  append_key(key, std::to_string(reinterpret_cast<uintptr_t>(spec.module.get())));
  for (const auto& variable : spec.environment) append_key(key, variable);
  if (spec.allowed_capabilities) {
    key += "only";
    for (const auto& capability : *spec.allowed_capabilities) append_key(key, capability);
  }
  return key;
}

}  // namespace

Namespace::~Namespace() {
  host.queues.remove(vm_id);
  const std::lock_guard lock(host.mutex);
  if (auto found = host.namespaces.find(vm_id); found != host.namespaces.end() && found->second.expired())
    host.namespaces.erase(found);
}

std::span<const engine::HostFunction> VmSpec::imports() const {
  if (allowed_capabilities) return restricted_imports;
  return all_functions();
}

bool VmSpec::allows(std::string_view capability) const {
  return !allowed_capabilities || allowed_capabilities->contains(std::string(capability));
}

PluginImpl::PluginImpl(PluginConfig config, std::shared_ptr<const VmSpec> spec)
    : config_(std::move(config)), spec_(std::move(spec)) {
  for (const std::string& part : {spec_->key, config_.root_id, config_.configuration, config_.name, config_.key_suffix})
    append_key(key_, part);
}

std::shared_ptr<Namespace> Host::Impl::find_namespace(const std::string& vm_id) {
  const std::lock_guard lock(mutex);
  auto& known = namespaces[vm_id];
  auto names = known.lock();
  if (!names) known = names = std::make_shared<Namespace>(*this, vm_id);
  return names;
}

VmCount::VmCount(Host::Impl& host, const std::string& runtime)
    : active_(host.metric(abi::MetricType::kGauge, "wasm." + runtime + ".active")) {
  stats::Counter(host.metric(abi::MetricType::kCounter, "wasm." + runtime + ".created")).add();
  active_.add();
}

std::shared_ptr<const VmCount> Host::Impl::find_count(const VmSpec& spec) {
  const std::lock_guard lock(mutex);
  auto& known = counts[spec.key];
  auto count = known.lock();
  if (!count) known = count = std::make_shared<VmCount>(*this, spec.runtime);
  return count;
}

// Who looks up a metric takes the store's lock: a guest may do a hazard in each of its requests.
void Host::Impl::count(Hazard hazard) {
  auto& known = hazard_counts[static_cast<size_t>(hazard)];
  stats::MetricStore::Metric* count = known.load(std::memory_order_acquire);
  if (count == nullptr) {
    count = metric(abi::MetricType::kCounter, std::string("wasm.hazard.").append(describe(hazard).name));
    if (count == nullptr) return;
    known.store(count, std::memory_order_release);
  }
  stats::MetricStore::increment(*count, 1);
}

Result<> Host::Impl::run_canary(const std::shared_ptr<const PluginImpl>& plugin) {
  {
    const std::lock_guard lock(mutex);
    auto passed = canaries.find(plugin->key());
    if (passed != canaries.end() && passed->second.lock() == plugin->module()) return {};
  }
  INLAY_TRY(auto vm, Vm::create(*this, plugin->spec(), nullptr));
  INLAY_RETURN_IF_ERROR(vm->start(plugin));
  const std::lock_guard lock(mutex);
  canaries[plugin->key()] = plugin->module();
  return {};
}

Host::Host(HostOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Host::~Host() = default;

std::shared_ptr<Plugin> Host::create_plugin_without_code(PluginConfig config) {
  return std::make_shared<PluginImpl>(std::move(config), std::make_shared<VmSpec>());
}

Result<std::shared_ptr<Plugin>> Host::create_plugin(PluginConfig config, std::shared_ptr<engine::Module> module) {
  const std::string name = config.name;
  auto fail = [&](Error error) {
    error.message = "unable to create Wasm plugin " + name + ": " + error.to_string();
    error.where.clear();
    return error;
  };
  auto version = check_module(*module);
  if (!version) return fail(std::move(version).error());
  auto spec = std::make_shared<VmSpec>();
  spec->vm_id = config.vm_id;
  spec->vm_configuration = config.vm_configuration;
  spec->runtime = config.runtime.empty() ? kDefaultRuntime : config.runtime;
  for (const auto& [variable, value] : config.environment) spec->environment.push_back(variable + "=" + value);
  if (config.allowed_capabilities && !config.allowed_capabilities->empty()) {  // Empty: all, as in Envoy.
    spec->allowed_capabilities = config.allowed_capabilities;
    spec->restricted_imports = restricted_functions(*config.allowed_capabilities);
  }
  spec->module = std::move(module);
  spec->abi_version = *version;
  spec->names = impl_->find_namespace(config.vm_id);
  spec->key = vm_key(*spec);
  spec->count = impl_->find_count(*spec);
  if (is_deaf(*spec)) {
    impl_->log(abi::LogLevel::kWarn, "plugin " + name +
                                         " will do nothing: its allowed_capabilities name none of the module's "
                                         "proxy_on_* callbacks, which need to be allowed as well as host functions");
  }
  auto plugin = std::make_shared<PluginImpl>(std::move(config), std::move(spec));
  auto canary = impl_->run_canary(plugin);
  if (!canary) return fail(std::move(canary).error());
  return std::shared_ptr<Plugin>(std::move(plugin));
}

}  // namespace inlay::host
