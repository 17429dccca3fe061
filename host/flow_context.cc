// SPDX-License-Identifier: Apache-2.0
#include "host/flow_context.h"

#include <utility>

#include "host/vm.h"
#include "host/worker_impl.h"

namespace inlay::host {

void FlowContext::begin_use(WorkerPluginImpl& owner, AttributeSource& embedder, RootContext* root_context) {
  owner_ = &owner;
  embedder_ = &embedder;
  root = root_context;
  vm = root ? root->vm : nullptr;
  id = 0;
  buffer_seen = abi::BufferType::kForeignFunctionArguments;
  paused_ = in_callback_ = resumed_ = continue_pending_ = {};
  reset_pending_ = deferred_ = in_log_ = logged_ = false;
  if (vm == nullptr) return;
  vm->new_id(*this);
  if (const auto& f = vm->callbacks().on_context_create) (void)vm->call(*this, f, id, root->id);
}

void FlowContext::end() {
  cancel_deferred();
  if (vm != nullptr) vm->remove_context(*this);
  vm = nullptr;
  embedder_ = nullptr;
  ++serial_;
  next_unused_ = std::exchange(unused_, this);
}

FlowContext::Outcome FlowContext::policy() const {
  if (refused()) return Outcome::kContinue;
  const bool strict = owner_->worker().host.options.envoy_strict && !owner_->impl().config().legacy_fail_open;
  return owner_->fails_open() && !strict ? Outcome::kContinue : Outcome::kStop;
}

void FlowContext::schedule() {
  if (!std::exchange(deferred_, true)) vm->add_deferred(*this);
}

void FlowContext::defer_continue(size_t direction) {
  if (embedder_ == nullptr || logged_) return;
  if (in_callback_[direction]) {
    resumed_[direction] = true;
    return;
  }
  continue_pending_[direction] = true;
  schedule();
}

void FlowContext::defer_reset() {
  if (embedder_ == nullptr || logged_) return;
  reset_pending_ = true;
  schedule();
}

void FlowContext::cancel_what_is_deferred() {
  deferred_ = false;
  if (vm != nullptr) vm->remove_deferred(*this);
  forget_deferred();
  reset_pending_ = false;
  continue_pending_ = {};
}

void FlowContext::run_deferred() {
  deferred_ = false;
  carry_out();
}

bool FlowContext::detach() {
  cancel_deferred();
  vm = nullptr;
  root = nullptr;
  return !in_callback_[0] && !in_callback_[1] && (paused_[0] || paused_[1]) && !logged_;
}

void FlowContext::resolve_dead() {
  if (policy() == Outcome::kStop) return refuse();
  const uint64_t use = serial_;
  for (size_t direction = 0; direction < kDirections; ++direction) {
    if (use != serial_ || embedder_ == nullptr) return;
    if (std::exchange(paused_[direction], false)) resume(direction);
  }
}

void FlowContext::run_log() {
  in_log_ = true;
  if (const auto& f = vm->callbacks().on_log) (void)vm->call(*this, f, id);
  in_log_ = false;
}

void FlowContext::log() {
  if (std::exchange(logged_, true) || vm == nullptr) return;
  Vm& mine = *vm;
  cancel_deferred();
  run_log();
  mine.run_deferred();
}

void FlowContext::finish(Log log) {
  logged_ = true;
  Vm* const mine = vm;
  if (mine == nullptr) return end();
  cancel_deferred();
  if (const auto& f = mine->callbacks().on_done) (void)mine->call(*this, f, id);
  if (log == Log::kBetween && vm != nullptr) run_log();
  if (const auto& f = mine->callbacks().on_delete; f && vm != nullptr) (void)mine->call(*this, f, id);
  end();
  mine->run_deferred();
}

}  // namespace inlay::host
