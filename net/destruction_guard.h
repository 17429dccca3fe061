// SPDX-License-Identifier: Apache-2.0
#pragma once

// DestructionGuard says whether an object was destroyed inside of a callback that it made. The object holds a
// `bool* destroyed_ = nullptr`, and its destructor does `if (destroyed_) *destroyed_ = true`.
//
//     DestructionGuard guard(destroyed_);
//     handler_->on_data(in_, end);
//     if (guard.destroyed()) return;

namespace inlay::net {

class DestructionGuard {
 public:
  explicit DestructionGuard(bool*& slot) : slot_(slot), outer_(slot) { slot = &destroyed_; }
  ~DestructionGuard() {
    if (!destroyed_) slot_ = outer_;
    if (destroyed_ && outer_) *outer_ = true;
  }
  DestructionGuard(const DestructionGuard&) = delete;
  DestructionGuard& operator=(const DestructionGuard&) = delete;
  bool destroyed() const { return destroyed_; }

 private:
  bool*& slot_;
  bool* outer_;
  bool destroyed_ = false;
};

}  // namespace inlay::net
