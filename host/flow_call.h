// SPDX-License-Identifier: Apache-2.0
#pragma once

// FlowContext's templates, for the files that call guests.

#include <utility>

#include "host/flow_context.h"
#include "host/vm.h"

namespace inlay::host {

template <class Call>
FlowContext::Outcome FlowContext::invoke(size_t direction, uint32_t& returned, Call&& call) {
  if (vm == nullptr) [[unlikely]]
    return policy();
  paused_[direction] = resumed_[direction] = false;
  in_callback_[direction] = true;
  const auto answer = call(*vm);
  in_callback_[direction] = false;
  if (!answer) [[unlikely]]
    return policy();
  returned = *answer;
  return Outcome::kGuest;
}

template <class Status>
Status FlowContext::settle(size_t direction, Outcome outcome, Status by_guest, Status stop, bool over) {
  if (outcome == Outcome::kContinue) return Status::kContinue;
  if (outcome == Outcome::kStop) {
    refuse();
    return stop;
  }
  Status status = by_guest;
  if (over || reset_pending_)
    status = stop;
  else if (resumed_[direction])
    status = Status::kContinue;
  else
    paused_[direction] = status != Status::kContinue;
  vm->run_deferred();
  return status;
}

}  // namespace inlay::host
