// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/tree.h"

namespace inlay::deploy {

// Reports every text and number without its form and every required key that is missing, by the table of
// values_schema.h.
void check_forms(const config::TreeNode& root, config::Reporter& report);

}  // namespace inlay::deploy
