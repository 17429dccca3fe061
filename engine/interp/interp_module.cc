// SPDX-License-Identifier: Apache-2.0
#include "engine/interp/interp_module.h"

#include "engine/interp/interp_instance.h"

namespace inlay::engine::interp {
namespace {

class InterpModule final : public Module {
 public:
  explicit InterpModule(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  EngineKind kind() const override { return EngineKind::kInterp; }
  Tier tier() const override { return Tier::kInterpreted; }
  const Program& program() const { return *program_; }

 private:
  std::shared_ptr<const Program> program_;
};

}  // namespace

std::shared_ptr<Module> make_module(std::shared_ptr<const Program> program) {
  return std::make_shared<InterpModule>(std::move(program));
}

Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> module,
                                              const std::vector<const HostFunction*>& imports, void* env,
                                              const Limits& limits) {
  const Program& program = static_cast<const InterpModule&>(*module).program();
  auto instance = std::make_unique<InterpInstance>(std::move(module), program, imports, env, limits);
  INLAY_RETURN_IF_ERROR(instance->start());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace inlay::engine::interp
