// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/pieces.h"

namespace inlay::deploy {

Result<Rendering> render_envoy(const Values& values, config::Reporter& report) {
  INLAY_RETURN_IF_ERROR(check_standalone(values, report));
  INLAY_TRY(std::string bootstrap, bootstrap_yaml(values, {"127.0.0.1", values.module.name, true}));
  Rendering rendering;
  rendering.files.push_back({"envoy.yaml", std::move(bootstrap)});
  add_module(rendering, values);
  return rendering;
}

}  // namespace inlay::deploy
