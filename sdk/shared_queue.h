// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared queues: items of bytes between VMs of one process, whichever their vm_id and wherever they run. The root
// context that opens the queue is told of items in on_queue_ready; any VM may put some in and take some out. Each item
// comes out once, in the order in which items were put in.
//
//     class Receiver : public RootContext {
//       bool on_configure(size_t) override {
//         const auto opened = SharedQueue::open("jobs");
//         if (!opened) log_error("no queue: ", opened.error());
//         return opened.has_value();
//       }
//       void on_queue_ready(uint32_t id) override {
//         while (const auto item = SharedQueue(id).dequeue()) log_info("job: ", item->view());
//       }
//     };
//     void send_job(std::string_view job) {  // from any other VM
//       const auto jobs = SharedQueue::find("the receiver's vm_id", "jobs");
//       if (!jobs || !jobs->enqueue(job)) log_warn("a job is lost");
//     }

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

// SharedQueue is a queue's number, cheap to copy. The queue lives as long as its vm_id has VMs.
class SharedQueue {
 public:
  // The queue of a number that on_queue_ready has named.
  explicit SharedQueue(uint32_t id) : id_(id) {}

  // open: makes the queue of this VM's vm_id, or takes it over: the root context that opens it last gets on_queue_ready
  // from then on. kInternalFailure: the vm_id has too many queues, or the name is too long (in Inlay 1024 of either).
  static Result<SharedQueue> open(std::string_view name) {
    uint32_t id = 0;
    const Status status = proxy_register_shared_queue(name.data(), name.size(), &id);
    if (status != Status::kOk) return status;
    return SharedQueue(id);
  }

  // find: the queue that a VM of `vm_id` has opened; kNotFound while none has. An empty vm_id is this VM's own.
  static Result<SharedQueue> find(std::string_view vm_id, std::string_view name) {
    uint32_t id = 0;
    const Status status = proxy_resolve_shared_queue(vm_id.data(), vm_id.size(), name.data(), name.size(), &id);
    if (status != Status::kOk) return status;
    return SharedQueue(id);
  }

  // The number that on_queue_ready names it by.
  uint32_t id() const { return id_; }

  // enqueue: puts a copy of the item at the end. kNotFound: there is no such queue any more. kInternalFailure: the
  // queues of that vm_id are full (in Inlay 64 MiB).
  Result<> enqueue(std::string_view item) const {
    return to_result(proxy_enqueue_shared_queue(id_, item.data(), item.size()));
  }

  // dequeue: takes the first item out. kEmpty when there is none: on_queue_ready may come when another VM has taken the
  // item already, and once for several items, so take until then. kNotFound: there is no such queue.
  Result<Bytes> dequeue() const {
    char* data = nullptr;
    size_t size = 0;
    const Status status = proxy_dequeue_shared_queue(id_, &data, &size);
    if (status != Status::kOk) return status;
    return Bytes(data, size);
  }

 private:
  uint32_t id_;
};

}  // namespace inlay::sdk
