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
    take(aot_module().enroll(attention_));
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

  ~AotInstance() override { aot_module().dismiss(attention_); }

  // Runs the generated instantiation as if it were a call into the guest: it may trap in all the same ways.
  Result<> start() {
    if (guest_ == nullptr) return Error{ErrorCode::kResourceExhausted, "no memory for an instance", {}};
    if (descriptor().memory != nullptr) aot_.exported = descriptor().memory(guest_);
    const auto native = reinterpret_cast<NativeFunction>(&AotInstance::enter_guest);
    const Function<void()> entry{&native, 0};
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
    return {&exports_[export_index], export_index + 1};
  }

  // Memory, globals and tables stay as they are: both artifacts are made from the same C.
  void adopt_code() override {
    for (const detail::Activation* call = detail::thread_state.top; call != nullptr; call = call->previous) {
      if (call->context == context_) return;  // at a later call
    }
    attention_.fetch_and(static_cast<uint8_t>(~detail::kAttentionCode), std::memory_order_relaxed);
    take(aot_module().code());
    for (const GuestResources::Table& table : aot_.resources.tables) aot_module().redirect(table);
  }

 private:
  AotModule& aot_module() const { return static_cast<AotModule&>(*module_); }
  const Descriptor& descriptor() const { return code_->descriptor(); }

  void take(const Code& code) {
    code_ = &code;
    const NativeFunction* exports = code.descriptor().exports;
    exports_.assign(exports, exports + code.descriptor().export_count);
  }

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
  const Code* code_ = nullptr;
  std::vector<NativeFunction> exports_;  // what Function handles point into: never moves
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
