// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>

#include "engine/aot/aot_module.h"

namespace inlay::engine::aot {
namespace {

class AotInstance final : public Instance {
 public:
  AotInstance(std::shared_ptr<Module> module, std::vector<NativeFunction> imports, void* env, const Limits& limits)
      : Instance(std::move(module), limits), imports_(std::move(imports)) {
    guest_storage_.reset(std::calloc(1, descriptor().instance_size));
    guest_ = guest_storage_.get();
    context_ = &aot_;
    aot_.env = env;
    aot_.imports = imports_.data();
    aot_.owner = this;
    aot_.stack_headroom = limits.stack_headroom_bytes;
    aot_.budget_ms = budget(limits);
    aot_.resources.max_memory_bytes = limits.max_memory_bytes;
    aot_.resources.max_table_elements = limits.max_table_elements;
    aot_.span_data = &memory_data_;
    aot_.span_size = &memory_size_;
  }

  // Runs the generated instantiation as if it were a call into the guest: it may trap in all the same ways.
  Result<> start() {
    if (guest_ == nullptr) return Error{ErrorCode::kResourceExhausted, "no memory for an instance", {}};
    if (descriptor().memory != nullptr) aot_.exported = descriptor().memory(guest_);
    const Function<void()> entry{reinterpret_cast<NativeFunction>(&AotInstance::enter_guest), 0};
    void* const guest = guest_;
    guest_ = this;  // what enter_guest() is given
    real_guest_ = guest;
    auto started = call(entry);
    guest_ = guest;
    if (!aot_.resources.exhausted.empty()) return Error{ErrorCode::kResourceExhausted, aot_.resources.exhausted, {}};
    if (!started) return Error{ErrorCode::kTrap, "the module's start trapped: " + started.error().message, {}};
    aot_.refresh_span();
    return {};
  }

 protected:
  Result<Unit, Trap> call_generic(uint32_t, std::span<const Value>, Value*) override {
    return Trap{TrapKind::kHost, "an empty function handle was called"};
  }
  detail::ResolvedExport resolve(uint32_t export_index) const override {
    return {descriptor().exports[export_index], export_index + 1};
  }

 private:
  const Descriptor& descriptor() const { return static_cast<const AotModule&>(*module_).descriptor(); }

  static void enter_guest(void* instance) {
    auto& self = *static_cast<AotInstance*>(instance);
    self.descriptor().instantiate(self.real_guest_, &self.aot_);
  }

  // 0 means none: a budget that is shorter than a millisecond must not become one.
  static uint32_t budget(const Limits& limits) {
    const auto count = limits.call_budget.count();
    if (count <= 0) return 0;
    return count > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(count);
  }

  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::vector<NativeFunction> imports_;
  std::unique_ptr<void, Free> guest_storage_;  // before aot_: its tables are in it
  void* real_guest_ = nullptr;
  AotContext aot_;
};

}  // namespace

Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> module, std::vector<NativeFunction> imports,
                                              void* env, const Limits& limits) {
  auto instance = std::make_unique<AotInstance>(std::move(module), std::move(imports), env, limits);
  INLAY_TRY([[maybe_unused]] auto started, instance->start());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace inlay::engine::aot
