// SPDX-License-Identifier: Apache-2.0
#include "host/shared_queue.h"

#include "host/guest_limits.h"

namespace inlay::host {

uint32_t SharedQueues::register_queue(std::string_view vm_id, std::string_view name, const void* owner, Notify notify) {
  const std::lock_guard lock(mutex_);
  auto at = ids_.find(Key(vm_id, name));
  if (at == ids_.end()) {
    Usage& usage = usage_.try_emplace(std::string(vm_id)).first->second;
    if (usage.queues >= limits::kQueues || name.size() > limits::kQueueName) return 0;
    ++usage.queues;
    at = ids_.emplace(Key(vm_id, name), ++last_id_).first;
    queues_[at->second].usage = &usage;
  }
  Queue& queue = queues_[at->second];
  if (owner == nullptr) return at->second;
  queue.owner = owner;
  queue.notify = std::move(notify);
  queue.announcing = 0;
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
    const size_t cost = item.size() + limits::kItemCost;
    if (queue.usage->bytes + cost > limits::kQueueBytes) return abi::Status::kInternalFailure;
    queue.items.emplace_back(item);
    queue.usage->bytes += cost;
    if (queue.notify && queue.announcing < queue.items.size()) {
      ++queue.announcing;
      notify = queue.notify;
    }
  }
  if (notify) notify(id);
  return abi::Status::kOk;
}

void SharedQueues::announced(uint32_t id) {
  const std::lock_guard lock(mutex_);
  auto found = queues_.find(id);
  if (found != queues_.end() && found->second.announcing > 0) --found->second.announcing;
}

abi::Status SharedQueues::dequeue(uint32_t id, std::string& item) {
  const std::lock_guard lock(mutex_);
  auto found = queues_.find(id);
  if (found == queues_.end()) return abi::Status::kNotFound;
  Queue& queue = found->second;
  if (queue.items.empty()) return abi::Status::kEmpty;
  item = std::move(queue.items.front());
  queue.items.pop_front();
  queue.usage->bytes -= item.size() + limits::kItemCost;
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
  usage_.erase(std::string(vm_id));
}

}  // namespace inlay::host
