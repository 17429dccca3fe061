// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/linked.h"

#include <string>

#include "engine/aot/aot_module.h"
#include "engine/aot/artifact.h"
#include "engine/description.h"

namespace inlay::engine::aot {

Result<std::shared_ptr<Module>> open_linked(const Linked& linked) {
  const Descriptor& descriptor = *linked.descriptor;
  if (descriptor.abi != kShimAbi || module_id_of(linked.sha256).key != descriptor.key)
    return Error{ErrorCode::kInvalidArgument, "it was compiled for another version of Inlay, or another machine",
                 linked.name};
  INLAY_TRY(Description description, read_description({linked.description, linked.description_size}));
  descriptor.initialize(&kRuntime);
  return std::shared_ptr<Module>(std::make_shared<AotModule>(
      std::move(description), std::make_unique<Code>(nullptr, descriptor), Tier::kOptimized));
}

}  // namespace inlay::engine::aot
