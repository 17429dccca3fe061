// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one key of a source demands of another.

#include <cstdint>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/config_reader.h"

namespace inlay::header_augmenting {

// check_source: reports what of the source at `index` does not go together, and what of it this module lacks. Which
// sources others refer to is known by now; defaults that depend on other keys are not set yet.
void check_source(const Config& config, uint32_t index, Report& report);

}  // namespace inlay::header_augmenting
