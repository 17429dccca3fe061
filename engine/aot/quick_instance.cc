// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/quick_instance.h"

#include <utility>

#include "engine/aot/aot_instance.h"
#include "engine/aot/tiered_module.h"

namespace inlay::engine::aot {
namespace {

class QuickInstance final : public AotInstance {
 public:
  QuickInstance(std::shared_ptr<Module> module, const std::vector<const HostFunction*>& imports, void* env,
                const Limits& limits)
      : AotInstance(std::move(module), imports, env, limits), first_(tiered_module().enroll(attention_)) {}

  ~QuickInstance() override { tiered_module().dismiss(attention_); }

  Result<> start() { return AotInstance::start(*first_); }

 protected:
  // Memory, globals and tables stay as they are: both artifacts are made from the same C.
  void adopt_code() override {
    if (native().called()) return;  // at a later call
    // Before the code is read: what is published in between sets it again.
    attention_.fetch_and(static_cast<uint8_t>(~detail::kAttentionCode), std::memory_order_acq_rel);
    tiered_module().lead(native(), *tiered_module().code());
  }

 private:
  TieredModule& tiered_module() const { return static_cast<TieredModule&>(*module_); }

  const Code* first_;
};

}  // namespace

Result<std::unique_ptr<Instance>> instantiate_quick(std::shared_ptr<Module> module,
                                                    const std::vector<const HostFunction*>& imports, void* env,
                                                    const Limits& limits) {
  auto instance = std::make_unique<QuickInstance>(std::move(module), imports, env, limits);
  INLAY_RETURN_IF_ERROR(instance->start());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace inlay::engine::aot
