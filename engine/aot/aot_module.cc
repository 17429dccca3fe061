// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/aot_module.h"

#include <utility>

#include "engine/aot/aot_instance.h"

namespace inlay::engine::aot {

AotModule::AotModule(Description description, std::unique_ptr<Code> code, Tier tier)
    : code_(std::move(code)), tier_(tier) {
  imports_ = std::move(description.imports);
  exports_ = std::move(description.exports);
}

Result<std::unique_ptr<Instance>> AotModule::instantiate(std::shared_ptr<Module> self,
                                                         const std::vector<const HostFunction*>& imports, void* env,
                                                         const Limits& limits) {
  auto instance = std::make_unique<AotInstance>(std::move(self), imports, env, limits);
  INLAY_RETURN_IF_ERROR(instance->start(*code_));
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace inlay::engine::aot
