// SPDX-License-Identifier: Apache-2.0
#pragma once

// docs/reference/conformance.md: what is proved, case by case, and where it ran.

#include <functional>
#include <string>
#include <vector>

#include "conformance/runner.h"

namespace inlay::conformance {

// `passed` is asked for every case and variant that it takes.
std::string render_page(const std::vector<Case>& cases, const std::function<bool(const Case&, const Variant&)>& passed);

}  // namespace inlay::conformance
