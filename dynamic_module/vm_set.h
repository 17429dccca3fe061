// SPDX-License-Identifier: Apache-2.0
#pragma once

// VmSet: the VMs of one key, one for each of Envoy's workers, which all configurations with that key share, as in
// Envoy: filters of one vm_id and one module, and a configuration with the one that replaces it. It is there as long as
// one of them is. All on the main thread.
//
//     auto vms = VmSet::of(host, *plugin, node, workers);
//     const std::vector<host::WorkerPlugin*> here = vms->join(member, plugin);
//     vms->leave(member, *plugin);

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "dynamic_module/task_thread.h"
#include "dynamic_module/worker_vm.h"
#include "host/host.h"

namespace inlay::dynamic_module {

class VmSet {
 public:
  // The set of the plugin's key (host::Plugin::vm_key) in that host: the one that is there, or a new one.
  static std::shared_ptr<VmSet> of(host::Host& host, const host::Plugin& plugin, const std::string& node,
                                   size_t workers);
  // Waits for the guest that ticks or gets an answer just now, at most as long as a call may take. Nobody is a member.
  ~VmSet();
  VmSet(const VmSet&) = delete;
  VmSet& operator=(const VmSet&) = delete;

  // Starts the plugin in each VM: what it is there, by the worker's index. Call-outs go by `member` from now on, which
  // lives until leave(); nullptr: it has no way for any.
  std::vector<host::WorkerPlugin*> join(VmMember* member, const std::shared_ptr<host::Plugin>& plugin);
  // Ends it. No stream of it is left. What others in these VMs had under way by this member is answered with a reset.
  void leave(VmMember* member, const host::Plugin& plugin);
  WorkerVm& vm(size_t worker) { return *vms_[worker]; }
  TaskThread& thread() { return thread_; }

 private:
  VmSet(host::Host& host, const std::string& node, size_t workers);

  TaskThread thread_;
  std::vector<std::unique_ptr<WorkerVm>> vms_;
};

}  // namespace inlay::dynamic_module
