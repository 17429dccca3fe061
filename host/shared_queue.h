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
  // What one queue may hold; enqueue() says kInternalFailure beyond it.
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  // Told of each item; called without a lock held, on the thread that enqueues.
  using Notify = std::function<void(uint32_t queue)>;

  // Opens or makes the queue; its items are announced to `notify` from now on. `owner` is for unregister().
  uint32_t register_queue(std::string_view vm_id, std::string_view name, const void* owner, Notify notify);
  // 0: no such queue.
  uint32_t resolve(std::string_view vm_id, std::string_view name) const;
  abi::Status enqueue(uint32_t queue, std::string_view item);
  // kNotFound: no such queue. kEmpty: nothing in it.
  abi::Status dequeue(uint32_t queue, std::string& item);
  // Forgets the notifications of `owner`; the items stay.
  void unregister(const void* owner);
  // Drops the queues of a vm_id.
  void remove(std::string_view vm_id);

 private:
  struct Queue {
    std::deque<std::string> items;
    size_t bytes = 0;
    const void* owner = nullptr;
    Notify notify;
  };
  using Key = std::pair<std::string, std::string>;

  mutable std::mutex mutex_;
  std::map<Key, uint32_t> ids_;
  std::map<uint32_t, Queue> queues_;
  uint32_t last_id_ = 0;
};

}  // namespace inlay::host
