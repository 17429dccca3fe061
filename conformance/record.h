// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/differences.h"

namespace inlay::conformance {

// Changes the case's transcripts for Envoy and the differences so that judge() takes what was seen: no record where it
// agrees, the fewest rules where rules do, else a transcript. A transcript that stands under no difference is put under
// "unexplained", which says not why and so is a mistake until somebody has. `versions`: all that there are.
void record(Case& c, Differences& differences, const std::string& version, const std::string& seen,
            const std::vector<std::string>& versions);

}  // namespace inlay::conformance
