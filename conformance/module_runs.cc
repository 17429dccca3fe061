// SPDX-License-Identifier: Apache-2.0
#include "conformance/module_runs.h"

#include <cstdio>
#include <map>

#include "conformance/envoy_runs.h"

namespace inlay::conformance {
namespace {

using Kind = ModuleVerdict::Kind;

std::string share(size_t part, size_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

void put(Differences& differences, const Case& c, const std::string& way, const ModuleVerdict& verdict) {
  const std::vector<std::string> known = differences.of(c, way);
  const bool differs = verdict.kind == Kind::kRecorded || (verdict.kind == Kind::kUnexplained && known.empty());
  if (differs == !known.empty() || (!known.empty() && known.front() == kByChance)) return;
  if (differs) return differences.put("unexplained", c, way, true, envoy_ways());
  for (const std::string& name : known) differences.put(name, c, way, false, envoy_ways());
}

}  // namespace

bool run_as_modules(const std::vector<const Case*>& chosen, const std::vector<Case>& all, const Envoy& envoy,
                    const std::string& way, ModuleRunOptions options, std::string& summary) {
  const auto of_wasm_filter = read_differences();
  auto differences = read_differences(kModuleDifferences);
  if (!differences || !of_wasm_filter) {
    const Error& error = differences ? of_wasm_filter.error() : differences.error();
    std::fprintf(stderr, "conformance: %s\n", error.to_string().c_str());
    return false;
  }
  Differences recorded = *differences;
  std::map<Kind, size_t> counts;
  EnvoyRuns runs(chosen, [&](const Case& c) { return run_as_module(c, envoy, way, *of_wasm_filter); });
  for (const Case* const c : chosen) {
    const auto seen = runs.wait_for(*c);
    ModuleVerdict verdict;
    if (seen)
      verdict = judge_as_module(*c, way, *of_wasm_filter, *differences, *seen);
    else
      verdict.text = seen.error().to_string() + "\n";
    ++counts[verdict.kind];
    if (seen && options.update) put(recorded, *c, way, verdict);
    const bool unexplained = verdict.kind == Kind::kUnexplained;
    if (!unexplained && !(options.show && verdict.kind == Kind::kRecorded)) continue;
    std::printf("%s %s as a module in Envoy %s\n%s\n", unexplained ? "UNEXPLAINED" : "recorded", c->title().c_str(),
                way.c_str(), verdict.text.c_str());
    std::fflush(stdout);
  }
  const auto count = [&](Kind kind, const char* what) { return std::to_string(counts[kind]) + what; };
  const size_t same = counts[Kind::kAgrees] + counts[Kind::kAside];
  summary += std::to_string(chosen.size()) + " cases as a module in Envoy " + way + ": " +
             count(Kind::kAgrees, " as with V8, ") +
             count(Kind::kAside, " more but for words of the host's log and the main thread's instance (") +
             share(same, chosen.size()) + "), " +
             count(Kind::kForwardedFor, " more but for x-forwarded-for of calls (") +
             share(same + counts[Kind::kForwardedFor], chosen.size()) + "), " +
             count(Kind::kAsCase, " as the case says where V8 does otherwise, ") +
             count(Kind::kRecorded, " recorded, ") + count(Kind::kUnexplained, " unexplained\n");
  if (options.update) return static_cast<bool>(write_differences(recorded, kModuleDifferences));
  bool well = counts[Kind::kUnexplained] == 0;
  for (const std::string& mistake : differences->mistakes_of_entries(all, envoy_ways())) {
    std::printf("conformance/%s: %s\n", kModuleDifferences, mistake.c_str());
    well = false;
  }
  return well;
}

}  // namespace inlay::conformance
