// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a configuration that has been read to one that can be run: what depends on several keys is checked, what a fetch
// or a request needs is put together once.

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/config_reader.h"

namespace inlay::header_augmenting {

void compile(Config& config, Report& report);

}  // namespace inlay::header_augmenting
