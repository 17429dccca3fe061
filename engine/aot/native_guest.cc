// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/native_guest.h"

#include <algorithm>
#include <utility>

namespace inlay::engine::aot {
namespace {

// 0 means none: a budget that is shorter than a millisecond must not become one.
uint32_t budget(const Limits& limits) {
  const auto count = limits.call_budget.count();
  if (count <= 0) return 0;
  return count > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(count);
}

}  // namespace

NativeGuest::NativeGuest(Instance& owner, std::vector<NativeFunction> imports, void* env, const Limits& limits,
                         uint8_t** data, size_t* size)
    : exports_(owner.module().exports().size()), imports_(std::move(imports)) {
  context_.env = env;
  context_.imports = imports_.data();
  context_.owner = &owner;
  context_.stack_headroom = limits.stack_headroom_bytes;
  context_.budget_ms = budget(limits);
  context_.resources.max_memory_bytes = limits.max_memory_bytes;
  context_.resources.max_table_elements = limits.max_table_elements;
  context_.span_data = data;
  context_.span_size = size;
}

bool NativeGuest::called() const {
  for (const detail::Activation* call = detail::thread_state.top; call != nullptr; call = call->previous) {
    if (call->context == &context_) return true;
  }
  return false;
}

bool NativeGuest::prepare(const Code& code) {
  const Descriptor& descriptor = code.descriptor();
  storage_.reset(std::calloc(1, descriptor.instance_size));
  if (storage_ == nullptr) return false;
  code_ = &code;
  context_.exported = descriptor.memory != nullptr ? descriptor.memory(storage_.get()) : nullptr;
  std::copy_n(descriptor.exports, exports_.size(), exports_.begin());
  return true;
}

void NativeGuest::abandon() {
  context_.resources.release();
  context_.exported = nullptr;
  storage_.reset();
  code_ = nullptr;
}

bool NativeGuest::take(const Code& code) {
  if (&code == code_) return false;
  code_ = &code;
  std::copy_n(code.descriptor().exports, exports_.size(), exports_.begin());
  return true;
}

void NativeGuest::allocate() {
  code_->descriptor().instantiate(guest(), &context_);
}

void NativeGuest::instantiate(void* native) {
  auto& self = *static_cast<NativeGuest*>(native);
  self.allocate();
  if (self.state().start != nullptr) self.state().start(self.guest());
}

std::vector<NativeFunction> natives(const std::vector<const HostFunction*>& imports) {
  std::vector<NativeFunction> list;
  for (const HostFunction* function : imports) list.push_back(function->native);
  return list;
}

}  // namespace inlay::engine::aot
