// SPDX-License-Identifier: Apache-2.0
// Shared data and shared queues.

#include "host/functions.h"
#include "host/vm.h"
#include "host/worker_impl.h"

namespace inlay::host::proxy {

Status proxy_set_shared_data(Vm& vm, u32 key, u32 key_size, u32 value, u32 value_size, u32 cas) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto name = vm.read(key, key_size);
  const auto bytes = vm.read(value, value_size);
  if (!name || !bytes) return Status::kInvalidMemoryAccess;
  const Status status = vm.shared_data().data().set(*name, *bytes, cas);
  return status == Status::kInternalFailure ? vm.over_limit(GuestLimit::kSharedData) : status;
}

Status proxy_get_shared_data(Vm& vm, u32 key, u32 key_size, u32 return_data, u32 return_size, u32 return_cas) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto name = vm.read(key, key_size);
  if (!name || !vm.writable(return_cas, sizeof(u32))) return Status::kInvalidMemoryAccess;
  // The value stays put while the guest's allocator runs: it can call nothing that touches shared data.
  const SharedValue* value = vm.shared_data().get(*name);
  if (value == nullptr) return Status::kNotFound;
  const Status status = vm.return_bytes(*value->bytes, return_data, return_size);
  if (status == Status::kOk) vm.write_u32(return_cas, value->cas);
  return status;
}

Status proxy_register_shared_queue(Vm& vm, u32 name, u32 name_size, u32 return_id) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto text = vm.read(name, name_size);
  if (!text || !vm.writable(return_id, sizeof(u32))) return Status::kInvalidMemoryAccess;
  SharedQueues::Notify notify;
  if (vm.worker() != nullptr) {
    notify = [mailbox = vm.worker()->mailbox, key = vm.spec().key, root = vm.current()->root->id](uint32_t queue) {
      Mailbox::post(mailbox, [key, root, queue](Worker::Impl& worker) {
        worker.host.queues.announced(queue);
        if (auto found = worker.vms.find(key); found != worker.vms.end()) found->second->queue_ready(root, queue);
      });
    };
  }
  // The canary makes the queue, but takes it from nobody: another's VM may be receiving already.
  const void* const owner = vm.worker() != nullptr ? &vm : nullptr;
  const u32 id = vm.host().queues.register_queue(vm.spec().vm_id, *text, owner, std::move(notify));
  if (id == 0) return vm.over_limit(GuestLimit::kQueues);
  vm.write_u32(return_id, id);
  return Status::kOk;
}

Status proxy_resolve_shared_queue(Vm& vm, u32 vm_id, u32 vm_id_size, u32 name, u32 name_size, u32 return_id) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto id = vm.read(vm_id, vm_id_size);
  const auto text = vm.read(name, name_size);
  if (!id || !text || !vm.writable(return_id, sizeof(u32))) return Status::kInvalidMemoryAccess;
  const uint32_t queue = vm.host().queues.resolve(id->empty() ? vm.spec().vm_id : *id, *text);
  if (queue == 0) return Status::kNotFound;
  vm.write_u32(return_id, queue);
  return Status::kOk;
}

Status proxy_enqueue_shared_queue(Vm& vm, u32 queue, u32 value, u32 value_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto bytes = vm.read(value, value_size);
  if (!bytes) return Status::kInvalidMemoryAccess;
  const Status status = vm.host().queues.enqueue(queue, *bytes);
  return status == Status::kInternalFailure ? vm.over_limit(GuestLimit::kQueues) : status;
}

Status proxy_dequeue_shared_queue(Vm& vm, u32 queue, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (!vm.writable(return_data, sizeof(u32)) || !vm.writable(return_size, sizeof(u32)))
    return Status::kInvalidMemoryAccess;
  std::string item;
  const Status status = vm.host().queues.dequeue(queue, item);
  return status == Status::kOk ? vm.return_bytes(item, return_data, return_size) : status;
}

}  // namespace inlay::host::proxy
