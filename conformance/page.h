// SPDX-License-Identifier: Apache-2.0
#pragma once

// docs/reference/conformance.md: what is proved, case by case, where it ran, and what Envoy does.

#include <functional>
#include <string>
#include <vector>

#include "conformance/differences.h"
#include "conformance/runner.h"

namespace inlay::conformance {

// `passed` is asked for every case and variant that it takes. What Envoy's versions do is taken from the differences
// and the cases' transcripts, as tests hold them to be.
std::string render_page(const std::vector<Case>& cases, const std::function<bool(const Case&, const Variant&)>& passed,
                        const Differences& differences, const std::vector<std::string>& envoys);

}  // namespace inlay::conformance
