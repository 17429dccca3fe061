// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inlay::deploy {

// docs/reference/deploy_values.md, made from the table of values_schema.h.
std::string reference_page();

}  // namespace inlay::deploy
