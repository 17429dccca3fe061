// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/engine.h"

namespace inlay::engine::aot {

class Code;

// Checks the artifact (check_artifact()) and loads it. Thread-safe. kInvalidArgument if it is not for `described`.
Result<std::unique_ptr<Code>> open_artifact(const std::string& path, const Module& described, const std::string& key);

}  // namespace inlay::engine::aot
