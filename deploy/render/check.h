// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads what was rendered as its readers will: Envoy's configuration with Inlay's own loader, Istio's resources with
// their schemas, and their patches on the configuration of a sidecar. It is the last step of rendering; a fault is a
// defect of a template, or a value that means something else than it seems to.

#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "deploy/render/target.h"

namespace inlay::deploy {

struct Checked {
  // The configuration with the plugin in it, for a caller that wants to start the plugin; nothing when the module is no
  // file, when Inlay lacks something that Envoy has, or when the target has no such configuration.
  std::optional<config::Bootstrap> bootstrap;
  std::vector<std::string> notes;
};

// Errors are kInternal and name the file and the fault. Variables that the proxy would take from its environment get a
// stand-in.
Result<Checked> check_rendering(std::string_view target, const Rendering& rendering, const Values& values);

}  // namespace inlay::deploy
