// SPDX-License-Identifier: Apache-2.0
#pragma once

// ContextTable numbers contexts and finds them by number without hashing: ids count up from 1, and id & mask is the
// slot. An id whose slot is taken by a longer-lived context is passed over, so that an id is not used again before the
// 32 bits wrap, and a guest's stale id finds nothing.

#include <cstdint>
#include <vector>

#include "host/contexts.h"

namespace inlay::host {

class ContextTable {
 public:
  // `given`: how many ids there have been.
  explicit ContextTable(uint64_t given = 0) : given_(given) {}

  // Gives `context` its id.
  uint32_t add(Context& context) {
    if ((live_ + 1) * 2 > slots_.size()) grow();
    for (;;) {
      const auto id = static_cast<uint32_t>(++given_);
      Context*& slot = slots_[id & (slots_.size() - 1)];
      if (id == 0 || slot != nullptr) continue;
      slot = &context;
      ++live_;
      return context.id = id;
    }
  }
  Context* find(uint32_t id) const {
    Context* found = slots_[id & (slots_.size() - 1)];
    return found != nullptr && found->id == id ? found : nullptr;
  }
  void remove(uint32_t id) {
    Context*& slot = slots_[id & (slots_.size() - 1)];
    if (slot == nullptr || slot->id != id) return;
    slot = nullptr;
    --live_;
  }
  // Which of the contexts that have had this id is meant by it, as a number that no other context has or gets.
  uint64_t serial_of(uint32_t id) const { return given_ - static_cast<uint32_t>(given_ - id); }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (Context* context : slots_)
      if (context != nullptr) visit(*context);
  }
  size_t size() const { return live_; }

 private:
  void grow() {
    std::vector<Context*> old(slots_.size() * 2);
    old.swap(slots_);
    for (Context* context : old)
      if (context != nullptr) slots_[context->id & (slots_.size() - 1)] = context;
  }

  std::vector<Context*> slots_ = std::vector<Context*>(256);
  size_t live_ = 0;
  uint64_t given_;
};

}  // namespace inlay::host
