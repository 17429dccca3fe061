// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/subcommand.h"

namespace inlay::cli {

// Adds `inlay deploy check` to `inlay deploy`.
void add_deploy_check(CLI::App& deploy, Action& action);

}  // namespace inlay::cli
