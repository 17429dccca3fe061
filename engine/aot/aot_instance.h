// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/aot/code.h"
#include "engine/aot/native_guest.h"
#include "engine/engine.h"

namespace inlay::engine::aot {

// AotInstance is one that native code runs from its beginning. What derives from it may take better code over.
class AotInstance : public Instance {
 public:
  // `imports` are in the module's order.
  AotInstance(std::shared_ptr<Module> module, const std::vector<const HostFunction*>& imports, void* env,
              const Limits& limits);

  // Runs the generated instantiation, and the start function, as if they were a call into the guest: they may trap in
  // all the same ways. `code` must be the module's, and live as long as this. Errors: as Instance::create's.
  Result<> start(const Code& code);

 protected:
  // Nobody calls it: kAttentionInterpreted is never set here.
  Result<Unit, Trap> call_generic(uint32_t index, std::span<const Value> args, Value* result) override;
  detail::ResolvedExport resolve(uint32_t export_index) const override;

  NativeGuest& native() { return native_; }

 private:
  NativeGuest native_;
};

}  // namespace inlay::engine::aot
