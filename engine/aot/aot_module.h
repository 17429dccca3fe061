// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "engine/aot/code.h"
#include "engine/description.h"
#include "engine/engine.h"

namespace inlay::engine::aot {

// AotModule is an artifact that was opened: its code is all that its instances ever run.
class AotModule final : public Module {
 public:
  // `tier` is what the code was compiled to.
  AotModule(Description description, std::unique_ptr<Code> code, Tier tier);

  EngineKind kind() const override { return EngineKind::kAot; }
  Tier tier() const override { return tier_; }

 protected:
  Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> self,
                                                const std::vector<const HostFunction*>& imports, void* env,
                                                const Limits& limits) override;

 private:
  std::unique_ptr<Code> code_;
  Tier tier_;
};

}  // namespace inlay::engine::aot
