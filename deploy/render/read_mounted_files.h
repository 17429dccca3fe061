// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "config/view.h"
#include "deploy/render/values.h"

namespace inlay::deploy {

// The list `files` of a service in a values file, whose forms check_forms() looks at. Reports a file without content,
// and two of one name.
std::vector<MountedFile> read_mounted_files(config::View service, config::Reporter& report);

}  // namespace inlay::deploy
