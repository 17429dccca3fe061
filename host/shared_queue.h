// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared queues: named by (vm_id, name), used from any VM of any worker by a number. Thread-safe.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "abi/types.h"

namespace inlay::host {

class SharedQueues {
 public:
  // Told of an item; called without a lock held, on the thread that enqueues. Whoever is told says announced() when the
  // news has reached the guest: no more news is under way at a time than there are items.
  using Notify = std::function<void(uint32_t queue)>;

  // Opens or makes the queue; its items are announced to `notify` from now on. `owner` is for unregister().
  // 0: the vm_id has too many queues, or the name is too long (guest_limits.h).
  uint32_t register_queue(std::string_view vm_id, std::string_view name, const void* owner, Notify notify);
  // 0: no such queue.
  uint32_t resolve(std::string_view vm_id, std::string_view name) const;
  // kNotFound: no such queue. kInternalFailure: the queues of that vm_id are full.
  abi::Status enqueue(uint32_t queue, std::string_view item);
  void announced(uint32_t queue);
  // kNotFound: no such queue. kEmpty: nothing in it.
  abi::Status dequeue(uint32_t queue, std::string& item);
  // Forgets the notifications of `owner`; the items stay.
  void unregister(const void* owner);
  // Drops the queues of a vm_id.
  void remove(std::string_view vm_id);

 private:
  // What the queues of a vm_id hold together.
  struct Usage {
    size_t queues = 0;
    size_t bytes = 0;
  };
  struct Queue {
    std::deque<std::string> items;
    Usage* usage = nullptr;
    size_t announcing = 0;  // news under way
    const void* owner = nullptr;
    Notify notify;
  };
  using Key = std::pair<std::string, std::string>;

  mutable std::mutex mutex_;
  std::map<Key, uint32_t> ids_;
  std::map<uint32_t, Queue> queues_;
  std::map<std::string, Usage, std::less<>> usage_;  // by vm_id
  uint32_t last_id_ = 0;
};

}  // namespace inlay::host
