// SPDX-License-Identifier: Apache-2.0
#include "compiler/tiers/quick_instance.h"

#include <utility>

#include "compiler/tiers/tiered_module.h"
#include "engine/aot/aot_instance.h"

namespace inlay::compiler {
namespace {

using engine::aot::AotInstance;

class QuickInstance final : public AotInstance {
 public:
  QuickInstance(std::shared_ptr<engine::Module> module, const std::vector<const engine::HostFunction*>& imports,
                void* env, const engine::Limits& limits)
      : AotInstance(std::move(module), imports, env, limits), first_(tiered_module().enroll(attention_)) {}

  ~QuickInstance() override { tiered_module().dismiss(attention_); }

  Result<> start() { return AotInstance::start(*first_); }

 protected:
  // Memory, globals and tables stay as they are: both artifacts are made from the same C.
  void adopt_code() override {
    if (native().called()) return;  // at a later call
    // Before the code is read: what is published in between sets it again.
    attention_.fetch_and(static_cast<uint8_t>(~engine::detail::kAttentionCode), std::memory_order_acq_rel);
    tiered_module().lead(native(), *tiered_module().code());
  }

 private:
  TieredModule& tiered_module() const { return static_cast<TieredModule&>(*module_); }

  const engine::aot::Code* first_;
};

}  // namespace

Result<std::unique_ptr<engine::Instance>> instantiate_quick(std::shared_ptr<engine::Module> module,
                                                            const std::vector<const engine::HostFunction*>& imports,
                                                            void* env, const engine::Limits& limits) {
  auto instance = std::make_unique<QuickInstance>(std::move(module), imports, env, limits);
  INLAY_RETURN_IF_ERROR(instance->start());
  return std::unique_ptr<engine::Instance>(std::move(instance));
}

}  // namespace inlay::compiler
