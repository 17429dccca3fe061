// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/native_guest.h"
#include "engine/aot/tiered_instance.h"

namespace inlay::engine::aot {
namespace {

// AotInstance is one that native code runs from its beginning.
class AotInstance final : public Instance {
 public:
  AotInstance(std::shared_ptr<Module> module, const std::vector<const HostFunction*>& imports, void* env,
              const Limits& limits)
      : Instance(std::move(module), limits),
        native_(*this, aot_module(), natives(imports), env, limits, &memory_data_, &memory_size_) {
    context_ = &native_.context();
    first_ = aot_module().enroll(attention_);
  }

  ~AotInstance() override { aot_module().dismiss(attention_); }

  // Runs the generated instantiation as if it were a call into the guest: it may trap in all the same ways.
  Result<> start() {
    if (!native_.prepare(*first_)) return Error{ErrorCode::kResourceExhausted, "no memory for an instance", {}};
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

 protected:
  // Nobody calls it: kAttentionInterpreted is never set here.
  Result<Unit, Trap> call_generic(uint32_t, std::span<const Value>, Value*) override {
    return Trap{TrapKind::kHost, "native code is not interpreted"};
  }
  detail::ResolvedExport resolve(uint32_t export_index) const override {
    return {native_.slot(export_index), export_index + 1};
  }

  // Memory, globals and tables stay as they are: both artifacts are made from the same C.
  void adopt_code() override {
    if (native_.called()) return;  // at a later call
    // Before the code is read: what is published in between sets it again.
    attention_.fetch_and(static_cast<uint8_t>(~detail::kAttentionCode), std::memory_order_acq_rel);
    native_.take(*aot_module().code());
  }

 private:
  AotModule& aot_module() const { return static_cast<AotModule&>(*module_); }

  const Code* first_ = nullptr;
  NativeGuest native_;
};

}  // namespace

Result<std::unique_ptr<Instance>> AotModule::instantiate(std::shared_ptr<Module> self,
                                                         const std::vector<const HostFunction*>& imports, void* env,
                                                         const Limits& limits) {
  if (auto program = this->program()) return instantiate_tiered(std::move(self), *program, imports, env, limits);
  auto instance = std::make_unique<AotInstance>(std::move(self), imports, env, limits);
  INLAY_RETURN_IF_ERROR(instance->start());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace inlay::engine::aot
