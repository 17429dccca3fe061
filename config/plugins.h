// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "config/model.h"

namespace inlay::config {

// Every plugin that a server of this bootstrap starts, in the order in which it starts them: services, then each
// listener's filters and access loggers. The pointers are into `bootstrap`.
std::vector<const WasmPlugin*> wasm_plugins(const Bootstrap& bootstrap);

// Whether the filter takes part in some request: not when it is disabled and no route of its manager turns it on.
bool is_ever_on(const HttpFilter& filter, const HttpConnectionManager& manager);

}  // namespace inlay::config
