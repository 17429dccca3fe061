// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "deploy/render/values.h"

namespace inlay::deploy {

// Where the target kubernetes has module.file mounted into the proxy's container, and the target istio expects it.
std::string mounted_module(const Values& values);

}  // namespace inlay::deploy
