// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/vm_set.h"

#include <map>
#include <mutex>
#include <tuple>

namespace inlay::dynamic_module {

VmSet::VmSet(host::Host& host, const std::string& node, size_t workers) {
  for (size_t i = 0; i < workers; ++i) vms_.push_back(std::make_unique<WorkerVm>(host, node, thread_));
}

VmSet::~VmSet() {
  thread_.stop();
}

std::shared_ptr<VmSet> VmSet::of(host::Host& host, const host::Plugin& plugin, const std::string& node,
                                 size_t workers) {
  using Key = std::tuple<const host::Host*, std::string, size_t>;
  static std::mutex mutex;
  static auto* const known = new std::map<Key, std::weak_ptr<VmSet>>;
  const std::lock_guard lock(mutex);
  std::erase_if(*known, [](const auto& entry) { return entry.second.expired(); });
  auto& kept = (*known)[Key(&host, plugin.vm_key(), workers)];
  if (auto vms = kept.lock()) return vms;
  std::shared_ptr<VmSet> made(new VmSet(host, node, workers));
  kept = made;
  return made;
}

std::vector<host::WorkerPlugin*> VmSet::join(VmMember* member, const std::shared_ptr<host::Plugin>& plugin) {
  std::vector<host::WorkerPlugin*> here;
  here.reserve(vms_.size());
  for (const auto& vm : vms_) here.push_back(vm->join(member, plugin));
  return here;
}

void VmSet::leave(VmMember* member, const host::Plugin& plugin) {
  for (const auto& vm : vms_) vm->leave(member, plugin);
}

}  // namespace inlay::dynamic_module
