// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inlay::config {

// docs/reference/envoy_config.md, made from the field table and the families' tables of rules.
std::string reference_page();

}  // namespace inlay::config
