// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inspect/layout.h"
#include "inspect/reader.h"

namespace inlay::inspect {

// Reads a custom section that we know (name, producers, target_features) into `layout`; one that cannot be read leaves
// no more than its name in Layout::broken. `in` stands behind the section's name.
void read_custom_section(const std::string& name, Reader in, Layout& layout);

}  // namespace inlay::inspect
