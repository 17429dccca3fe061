// SPDX-License-Identifier: Apache-2.0
#include "compiler/interp/interp_module.h"

#include "compiler/interp/interp_instance.h"

namespace inlay::compiler::interp {
namespace {

using engine::Module;

class InterpModule final : public Module {
 public:
  InterpModule(engine::Description description, std::shared_ptr<const Program> program, std::string fallback_reason,
               std::shared_ptr<Recorder> recorder)
      : program_(std::move(program)), recorder_(std::move(recorder)) {
    imports_ = std::move(description.imports);
    exports_ = std::move(description.exports);
    fallback_reason_ = std::move(fallback_reason);
  }
  engine::EngineKind kind() const override { return engine::EngineKind::kInterp; }
  engine::Tier tier() const override { return engine::Tier::kInterpreted; }

 protected:
  Result<std::unique_ptr<engine::Instance>> instantiate(std::shared_ptr<Module> self,
                                                        const std::vector<const engine::HostFunction*>& imports,
                                                        void* env, const engine::Limits& limits) override {
    auto instance = std::make_unique<InterpInstance>(std::move(self), program_, imports, env, limits, recorder_);
    INLAY_RETURN_IF_ERROR(instance->start());
    return std::unique_ptr<engine::Instance>(std::move(instance));
  }

 private:
  std::shared_ptr<const Program> program_;
  std::shared_ptr<Recorder> recorder_;
};

}  // namespace

std::shared_ptr<Module> make_module(engine::Description description, std::shared_ptr<const Program> program,
                                    std::string fallback_reason, std::shared_ptr<Recorder> recorder) {
  return std::make_shared<InterpModule>(std::move(description), std::move(program), std::move(fallback_reason),
                                        std::move(recorder));
}

}  // namespace inlay::compiler::interp
