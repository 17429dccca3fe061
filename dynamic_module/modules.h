// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.h"
#include "dynamic_module/settings.h"
#include "engine/engine.h"

namespace inlay::dynamic_module {

// The module that the settings ask for, loaded once for as long as somebody has it: plugins of one vm_id share data
// only if their module is the same object. Any thread. kInvalidArgument, kNotFound: what is to be done stands in the
// message; else as engine::Module::open()'s.
Result<std::shared_ptr<engine::Module>> find_module(const Settings& settings);

}  // namespace inlay::dynamic_module
