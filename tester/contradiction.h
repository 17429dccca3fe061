// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether what was seen is as a case's expectations say.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tester/expectation.h"
#include "tester/transcript.h"

namespace inlay::tester {

// What an expectation looks at: a transcript from a step on, and the statistics as they are now.
struct Seen {
  const Transcript& transcript;
  size_t from = 0;
  std::function<std::string(const std::string& name)> stat;  // "2", "absent"
};

// Nothing when the expectation holds, else what was seen in its place, as a sentence without its end.
std::optional<std::string> contradiction(const Expectation& expectation, const Seen& seen);

// What a test fails for though no line speaks of it: lines of the host's log, or that Envoy has ended or hangs.
struct Incident {
  enum class Kind : uint8_t { kHazard, kTrap, kEnvoyEnded } kind = Kind::kHazard;
  std::string hazard;  // its name
  std::string line;
  std::string backtrace;  // of a guest's trap, where its functions are known by name
};
std::vector<Incident> incidents(const Transcript& transcript, size_t from);

}  // namespace inlay::tester
