// SPDX-License-Identifier: Apache-2.0
#pragma once

// The insides of Host and Plugin. Host::Impl is thread-safe; VmSpec and PluginImpl are immutable, but for what the log
// has been told.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/hazards.h"
#include "host/host.h"
#include "host/shared_data.h"
#include "host/shared_queue.h"

namespace inlay::host {

// Namespace is what all VMs of one vm_id share. The last VM or plugin of that vm_id takes it along.
struct Namespace {
  Namespace(Host::Impl& owner, std::string id) : host(owner), vm_id(std::move(id)) {}
  ~Namespace();
  Host::Impl& host;
  const std::string vm_id;
  SharedData data;
};

// VmCount counts a VM: once in wasm.RUNTIME.created, and in wasm.RUNTIME.active for as long as it lives.
class VmCount {
 public:
  VmCount(Host::Impl& host, const std::string& runtime);
  ~VmCount() { active_.sub(); }
  VmCount(const VmCount&) = delete;
  VmCount& operator=(const VmCount&) = delete;

 private:
  stats::Gauge active_;
};

// VmSpec is what a VM is made from. Plugins whose specs have equal keys share one VM a worker: Envoy's key (vm_id, VM
// configuration, code; code by the identity of its Module), and beyond it environment and capabilities, so that no
// plugin runs with another's.
struct VmSpec {
  std::string key;
  std::string vm_id;
  std::string vm_configuration;
  std::string runtime;
  std::vector<std::string> environment;  // "NAME=value"
  std::optional<std::set<std::string>> allowed_capabilities;
  std::shared_ptr<engine::Module> module;
  abi::Version abi_version = abi::Version::k0_2_1;
  std::vector<engine::HostFunction> restricted_imports;
  std::shared_ptr<Namespace> names;
  std::shared_ptr<const VmCount> count;  // Envoy's base VM, from which it clones; one for all specs of a key

  std::span<const engine::HostFunction> imports() const;
  bool allows(std::string_view capability) const;
};

// Advice is a kind of fault in what a plugin does that the log tells of, once a plugin.
enum class Advice : uint8_t {
  kHeaderFault,   // a header that cannot be sent
  kReplyFields,   // the same, in a local reply
  kReplyStatus,   // a local reply's status
  kReplyHeaders,  // a local reply's headers as a whole
  kBodyLength,    // a body that has not the length of its content-length
  kGrpcTarget,    // a gRPC call to what is no target here
};

class PluginImpl final : public Plugin {
 public:
  PluginImpl(PluginConfig config, std::shared_ptr<const VmSpec> spec);
  const PluginConfig& config() const override { return config_; }
  const std::shared_ptr<engine::Module>& module() const override { return spec_->module; }
  abi::Version abi_version() const override { return spec_->abi_version; }
  const std::string& vm_key() const override { return spec_->key; }

  const std::shared_ptr<const VmSpec>& spec() const { return spec_; }
  // Envoy's plugin key: plugins with equal keys share a root context.
  const std::string& key() const { return key_; }
  // Whether the log knows already; and true the first time. Any thread.
  bool has_told(Advice advice) const { return (told_.load(std::memory_order_relaxed) & bit(advice)) != 0; }
  bool tell_once(Advice advice) const { return !has_told(advice) && (told_.fetch_or(bit(advice)) & bit(advice)) == 0; }
  // The same of a hazard in the `place`-th callback (Callbacks::for_each).
  bool tell_once(Hazard hazard, size_t place) const {
    auto& told = hazards_told_[static_cast<size_t>(hazard)];
    const uint64_t bit = uint64_t{1} << place;
    return (told.load(std::memory_order_relaxed) & bit) == 0 && (told.fetch_or(bit) & bit) == 0;
  }

 private:
  PluginConfig config_;
  std::shared_ptr<const VmSpec> spec_;
  std::string key_;
  static uint32_t bit(Advice advice) { return 1u << static_cast<uint32_t>(advice); }
  mutable std::atomic<uint32_t> told_{0};
  mutable std::array<std::atomic<uint64_t>, kHazards> hazards_told_{};
};

struct Host::Impl {
  explicit Impl(HostOptions o) : options(std::move(o)) {}

  std::shared_ptr<Namespace> find_namespace(const std::string& vm_id);
  std::shared_ptr<const VmCount> find_count(const VmSpec& spec);
  // Adds 1 to wasm.hazard.NAME, which is there from the first time on. Any thread.
  void count(Hazard hazard);
  Result<> run_canary(const std::shared_ptr<const PluginImpl>& plugin);
  void log(abi::LogLevel level, std::string_view message) const { options.log->write(level, "wasm", message); }
  stats::MetricStore::Metric* metric(abi::MetricType type, std::string_view name) const {
    return options.metrics->define(type, name);
  }

  const HostOptions options;
  SharedQueues queues;
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Namespace>> namespaces;
  std::map<std::string, std::weak_ptr<const VmCount>> counts;     // by VM key
  std::map<std::string, std::weak_ptr<engine::Module>> canaries;  // by plugin key: those that passed
  // What the log has told of.
  std::atomic<uint32_t> legacy_properties_told{0};  // one bit a name
  std::array<std::atomic<stats::MetricStore::Metric*>, kHazards> hazard_counts{};
};

}  // namespace inlay::host
