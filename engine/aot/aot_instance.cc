// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/aot_instance.h"

#include <string>
#include <utility>

namespace inlay::engine::aot {

AotInstance::AotInstance(std::shared_ptr<Module> module, const std::vector<const HostFunction*>& imports, void* env,
                         const Limits& limits)
    : Instance(std::move(module), limits), native_(*this, natives(imports), env, limits, &memory_data_, &memory_size_) {
  context_ = &native_.context();
}

Result<> AotInstance::start(const Code& code) {
  if (!native_.prepare(code)) return Error{ErrorCode::kResourceExhausted, "no memory for an instance", {}};
  const auto native = reinterpret_cast<NativeFunction>(&NativeGuest::instantiate);
  const Function<void()> entry{&native, 0};
  guest_ = &native_;
  auto started = call(entry);
  guest_ = native_.guest();
  const std::string& exhausted = native_.context().resources.exhausted;
  if (!exhausted.empty()) return Error{ErrorCode::kResourceExhausted, exhausted, {}};
  if (!started) {
    const bool late = started.error().kind == TrapKind::kDeadlineExceeded;
    return Error{late ? ErrorCode::kDeadlineExceeded : ErrorCode::kTrap,
                 "the module's start trapped: " + started.error().message,
                 {}};
  }
  native_.context().refresh_span();
  return {};
}

Result<Unit, Trap> AotInstance::call_generic(uint32_t, std::span<const Value>, Value*) {
  return Trap{TrapKind::kHost, "native code is not interpreted"};
}

detail::ResolvedExport AotInstance::resolve(uint32_t export_index) const {
  return {native_.slot(export_index), export_index + 1};
}

}  // namespace inlay::engine::aot
