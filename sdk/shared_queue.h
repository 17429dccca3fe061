// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared queues: items of bytes between VMs of one process, whichever their vm_id and wherever they run. Who makes the
// queue hears of items in on_queue_ready; any VM may put some in.
//
//     auto jobs = SharedQueue::open("jobs");                    // the receiver, in on_configure
//     if (!jobs) log_error("no queue: ", jobs.error());
//     auto of_it = SharedQueue::find("receiver_vm_id", "jobs");  // a sender
//     if (of_it && !of_it->enqueue("item")) log_warn("an item is lost");

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

class SharedQueue {
 public:
  // open: makes the queue of this VM's vm_id, or takes it over: the last VM that opens it gets on_queue_ready.
  static Result<SharedQueue> open(std::string_view name) {
    uint32_t id = 0;
    const Status status = proxy_register_shared_queue(name.data(), name.size(), &id);
    if (status != Status::kOk) return status;
    return SharedQueue(id);
  }

  // find: kNotFound while nobody has made it. An empty vm_id is this VM's own.
  static Result<SharedQueue> find(std::string_view vm_id, std::string_view name) {
    uint32_t id = 0;
    const Status status = proxy_resolve_shared_queue(vm_id.data(), vm_id.size(), name.data(), name.size(), &id);
    if (status != Status::kOk) return status;
    return SharedQueue(id);
  }

  // The number that on_queue_ready names it by.
  uint32_t id() const { return id_; }

  Result<> enqueue(std::string_view item) const {
    return to_result(proxy_enqueue_shared_queue(id_, item.data(), item.size()));
  }

  // dequeue: kEmpty when nothing is in it. on_queue_ready may come when another has taken the item already.
  Result<Bytes> dequeue() const {
    char* data = nullptr;
    size_t size = 0;
    const Status status = proxy_dequeue_shared_queue(id_, &data, &size);
    if (status != Status::kOk) return status;
    return Bytes(data, size);
  }

 private:
  explicit SharedQueue(uint32_t id) : id_(id) {}
  uint32_t id_;
};

}  // namespace inlay::sdk
