// SPDX-License-Identifier: Apache-2.0
#include "host/shared_queue.h"

namespace inlay::host {

uint32_t SharedQueues::register_queue(std::string_view vm_id, std::string_view name, const void* owner, Notify notify) {
  const std::lock_guard lock(mutex_);
  auto [at, added] = ids_.try_emplace(Key(vm_id, name), last_id_ + 1);
  if (added) ++last_id_;
  Queue& queue = queues_[at->second];
  queue.owner = owner;
  queue.notify = std::move(notify);
  return at->second;
}

uint32_t SharedQueues::resolve(std::string_view vm_id, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  auto found = ids_.find(Key(vm_id, name));
  return found == ids_.end() ? 0 : found->second;
}

abi::Status SharedQueues::enqueue(uint32_t id, std::string_view item) {
  Notify notify;
  {
    const std::lock_guard lock(mutex_);
    auto found = queues_.find(id);
    if (found == queues_.end()) return abi::Status::kNotFound;
    Queue& queue = found->second;
    const size_t cost = item.size() + sizeof(std::string);  // so that empty items are bounded as well
    if (queue.bytes + cost > kMaxBytes) return abi::Status::kInternalFailure;
    queue.items.emplace_back(item);
    queue.bytes += cost;
    notify = queue.notify;
  }
  if (notify) notify(id);
  return abi::Status::kOk;
}

abi::Status SharedQueues::dequeue(uint32_t id, std::string& item) {
  const std::lock_guard lock(mutex_);
  auto found = queues_.find(id);
  if (found == queues_.end()) return abi::Status::kNotFound;
  Queue& queue = found->second;
  if (queue.items.empty()) return abi::Status::kEmpty;
  item = std::move(queue.items.front());
  queue.items.pop_front();
  queue.bytes -= item.size() + sizeof(std::string);
  return abi::Status::kOk;
}

void SharedQueues::unregister(const void* owner) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, queue] : queues_) {
    if (queue.owner != owner) continue;
    queue.owner = nullptr;
    queue.notify = nullptr;
  }
}

void SharedQueues::remove(std::string_view vm_id) {
  const std::lock_guard lock(mutex_);
  for (auto at = ids_.begin(); at != ids_.end();) {
    if (at->first.first != vm_id) {
      ++at;
      continue;
    }
    queues_.erase(at->second);
    at = ids_.erase(at);
  }
}

}  // namespace inlay::host
