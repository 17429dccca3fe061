// SPDX-License-Identifier: Apache-2.0
// conformance [--update] [--cases DIRECTORY] [--envoy VERSION|all [--envoy-strict|--dynamic-module]] [CASE...]: runs
// the cases whose path contains one of CASE, or all.
//
// Without --envoy on both engines, in process and on sockets, and on sockets by HTTP/2; when all of the tree's own were
// run, it rewrites docs/reference/conformance.md. With it in that Envoy, by HTTP/1 and, where that is recorded, by
// HTTP/2 ("1.40.0/http2" is that alone), or in every version of scripts/pins; of cases that are named it shows how they
// differ there, recorded or not. --update writes down what was seen: read the diff. --envoy-strict also counts the
// cases in which Inlay with that flag shows the same as the Envoy, to the byte. --dynamic-module runs those of HTTP
// filters in that Envoy with libinlay.so in the place of its Wasm filter, and holds them against the latter.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "conformance/envoy_runs.h"
#include "conformance/module_runs.h"
#include "conformance/page.h"
#include "conformance/record.h"
#include "conformance/runner.h"
#include "tester/transcript.h"

namespace inlay::conformance {
namespace {

using tester::difference;
using tester::read_cases;

constexpr const char* kCases = INLAY_SOURCE_DIR "/conformance/cases";

struct Arguments {
  bool update = false;
  bool envoy_strict = false;
  bool dynamic_module = false;
  std::string envoy;  // a version, a way (envoys.h), "all", or empty
  std::string directory = kCases;
  std::vector<std::string> wanted;
  bool wants_way(std::string_view way) const {
    if (envoy == way) return true;
    return envoy == "all" || envoy == version_of_way(way);
  }
  bool wants(const Case& c) const {
    if (wanted.empty()) return true;
    for (const std::string& part : wanted) {
      if (c.path.find(part) != std::string::npos) return true;
    }
    return false;
  }
};

// Writes down what it sees, from the first way in which the case runs, and by HTTP/2 if that is another; the other ways
// must then agree.
bool update(Case& c) {
  const Case before = c;
  bool first = true;
  c.expected_by_http2.clear();
  for (const Variant& variant : variants()) {
    if (!takes(c, variant) || (!first && variant.protocol == Protocol::kHttp1)) continue;
    const Outcome outcome = observe(c, variant);
    if (!outcome.passed) {
      std::printf("%s (%s) cannot be run:\n%s\n", c.title().c_str(), variant.name().c_str(), outcome.text.c_str());
      return false;
    }
    if (std::exchange(first, false))
      c.expected = outcome.seen;
    else if (outcome.seen != c.expected)
      c.expected_by_http2 = outcome.seen;
  }
  if (c.expected == before.expected && c.expected_by_http2 == before.expected_by_http2) return true;
  std::printf("%s: new expectation\n", c.title().c_str());
  return static_cast<bool>(write_expectations(c));
}

struct Count {
  size_t run = 0;
  size_t failed = 0;
};

int run_all(const Arguments& arguments) {
  auto cases = read_cases(arguments.directory);
  if (!cases) {
    std::fprintf(stderr, "conformance: %s\n", cases.error().to_string().c_str());
    return 2;
  }
  std::map<std::string, Count> counts;
  size_t failed = 0;
  size_t chosen = 0;
  std::set<std::string> failures;
  for (Case& c : *cases) {
    if (!arguments.wants(c)) continue;
    ++chosen;
    if (arguments.update && !update(c)) {
      ++failed;
      continue;
    }
    for (const Variant& variant : variants()) {
      if (!takes(c, variant)) continue;
      Count& count = counts[variant.name()];
      ++count.run;
      const Outcome outcome = run(c, variant);
      if (outcome.passed) continue;
      ++count.failed;
      ++failed;
      failures.insert(c.title() + variant.name());
      std::printf("FAILED %s (%s)\n%s\n", c.title().c_str(), variant.name().c_str(), outcome.text.c_str());
    }
  }
  std::printf("%zu cases\n", chosen);
  size_t passed = 0;
  for (const Variant& variant : variants()) {
    const Count& count = counts[variant.name()];
    passed += count.run - count.failed;
    std::printf("  %-24s %4zu run, %zu failed\n", variant.name().c_str(), count.run, count.failed);
  }
  if (chosen == cases->size() && arguments.directory == kCases) {
    const auto differences = read_differences();
    if (!differences) {
      std::fprintf(stderr, "conformance: %s\n", differences.error().to_string().c_str());
      return 2;
    }
    const auto did_pass = [&](const Case& c, const Variant& v) { return !failures.contains(c.title() + v.name()); };
    std::ofstream(INLAY_SOURCE_DIR "/docs/reference/conformance.md")
        << render_page(*cases, did_pass, *differences, envoy_ways());
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 && chosen > 0 ? 0 : 1;
}

// --- in Envoy ---

// What a case that was asked for shows there, recorded or not.
void show(const Case& c, const std::string& way, const Differences& differences, const std::string& seen) {
  std::printf("%s in Envoy %s", c.title().c_str(), way.c_str());
  for (const std::string& name : differences.of(c, way)) std::printf(", %s", name.c_str());
  const std::string& expected = c.expected_by(protocol_of(way));
  if (seen == expected)
    std::printf(": as expected\n");
  else
    std::printf(":\n%s\n", difference(expected, seen).c_str());
}

// Whether Inlay with --envoy-strict shows what the Envoy has shown, but for words of the host's log.
bool agrees_strictly(Case c, const std::string& way, const std::string& seen) {
  c.envoy_strict = true;
  for (const Variant& variant : variants()) {
    if (takes(c, variant) && variant.protocol == protocol_of(way))
      return agrees(observe(c, variant).seen, {"host_log"}, seen);
  }
  return false;
}

// Returns whether all is explained; adds to `summary` what is to be said at the end.
bool run_in(const Envoy& envoy, const std::string& way, std::vector<Case>& cases, Differences& differences,
            const Arguments& arguments, std::string& summary) {
  std::vector<const Case*> chosen;
  for (const Case& c : cases) {
    if (runs_in_envoy(c, way) && arguments.wants(c)) chosen.push_back(&c);
  }
  std::map<Verdict::Kind, size_t> counts;
  size_t strictly = 0;
  // What is seen is compared with the differences as they were, and written down afterwards.
  Differences recorded = differences;
  EnvoyRuns runs(chosen, envoy, way, differences, !arguments.update);
  for (Case& c : cases) {
    if (!runs_in_envoy(c, way) || !arguments.wants(c)) continue;
    const auto seen = runs.wait_for(c);
    Verdict verdict;
    if (!seen) {
      verdict.text = seen.error().to_string() + "\n";
    } else {
      if (!arguments.wanted.empty() && !arguments.update) show(c, way, differences, *seen);
      verdict = judge(c, way, differences, *seen);
      if (arguments.envoy_strict && agrees_strictly(c, way, *seen)) ++strictly;
      if (arguments.update) record(c, recorded, way, *seen, envoy_ways());
    }
    ++counts[verdict.kind];
    if (verdict.kind != Verdict::Kind::kUnexplained || (arguments.update && seen)) continue;
    std::printf("UNEXPLAINED %s in Envoy %s\n%s\n", c.title().c_str(), way.c_str(), verdict.text.c_str());
  }
  summary += std::to_string(chosen.size()) + " cases in Envoy " + way + ": " +
             std::to_string(counts[Verdict::Kind::kAgrees]) + " agree, " +
             std::to_string(counts[Verdict::Kind::kWords]) + " more but for words of the host's log" +
             (arguments.envoy_strict ? " (" + std::to_string(strictly) + " of both with --envoy-strict), " : ", ") +
             std::to_string(counts[Verdict::Kind::kRecorded]) + " recorded, " +
             std::to_string(counts[Verdict::Kind::kUnexplained]) + " unexplained\n";
  std::fflush(stdout);
  if (!arguments.update) return counts[Verdict::Kind::kUnexplained] == 0;
  for (const Case* c : chosen) {
    if (!write_expectations(*c)) return false;
  }
  differences = std::move(recorded);
  return static_cast<bool>(write_differences(differences));
}

bool chosen(const Case& c, const std::string& way, const Arguments& arguments) {
  return arguments.wants(c) && (arguments.dynamic_module ? runs_as_module(c, way) : runs_in_envoy(c, way));
}

// The same cases in Envoy by the module.
bool run_modules_in(const Envoy& envoy, const std::string& way, const std::vector<Case>& cases,
                    const Arguments& arguments, std::string& summary) {
  std::vector<const Case*> those;
  for (const Case& c : cases) {
    if (chosen(c, way, arguments)) those.push_back(&c);
  }
  return run_as_modules(those, cases, envoy, way, {arguments.update, !arguments.wanted.empty()}, summary);
}

// What keeps cases from being run in Envoy at all; empty if nothing does.
std::string wrong_choice(const Arguments& arguments, const std::vector<Case>& cases) {
  std::vector<std::string> ways;
  std::string known;
  for (const std::string& way : envoy_ways()) {
    known += (known.empty() ? "" : ", ") + way;
    if (arguments.wants_way(way)) ways.push_back(way);
  }
  if (ways.empty()) {
    return "--envoy " + arguments.envoy + ": scripts/pins has no such Envoy; there are: all, " + known;
  }
  if (arguments.dynamic_module && (arguments.envoy == "all" || !loads_modules(version_of_way(arguments.envoy))))
    return "--dynamic-module: name one Envoy from 1.38 on: --envoy " + pinned_envoys().at(0);
  for (const std::string& way : ways) {
    for (const Case& c : cases) {
      if (chosen(c, way, arguments)) return "";
    }
  }
  return "no case that was chosen runs in Envoy";
}

int run_in_envoys(const Arguments& arguments) {
  auto cases = read_cases(arguments.directory);
  auto differences = read_differences();
  if (!cases || !differences) {
    std::fprintf(stderr, "conformance: %s\n", (!cases ? cases.error() : differences.error()).to_string().c_str());
    return 2;
  }
  if (const std::string wrong = wrong_choice(arguments, *cases); !wrong.empty()) {
    std::fprintf(stderr, "conformance: %s\n", wrong.c_str());
    return 2;
  }
  bool well = true;
  std::string summary;
  for (const std::string& way : envoy_ways()) {
    if (!arguments.wants_way(way)) continue;
    const auto envoy = find_envoy(version_of_way(way));
    if (!envoy) summary += "Envoy " + way + " is skipped: " + envoy.error().to_string() + "\n";
    if (!envoy) continue;
    well &= arguments.dynamic_module ? run_modules_in(*envoy, way, *cases, arguments, summary)
                                     : run_in(*envoy, way, *cases, *differences, arguments, summary);
  }
  for (const std::string& mistake : differences->mistakes(*cases, envoy_ways())) {
    std::printf("conformance/differences: %s\n", mistake.c_str());
    well = false;
  }
  std::printf("%s", summary.c_str());
  return well ? 0 : 1;
}

}  // namespace
}  // namespace inlay::conformance

int main(int argc, char** argv) {
  inlay::conformance::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--update") {
      arguments.update = true;
    } else if (argument == "--envoy-strict") {
      arguments.envoy_strict = true;
    } else if (argument == "--dynamic-module") {
      arguments.dynamic_module = true;
    } else if (argument == "--envoy" && i + 1 < argc) {
      arguments.envoy = argv[++i];
    } else if (argument == "--cases" && i + 1 < argc) {
      arguments.directory = argv[++i];
    } else if (argument.starts_with("-")) {
      std::fprintf(
          stderr,
          "usage: conformance [--update] [--cases DIRECTORY] [--envoy VERSION|all [--envoy-strict|--dynamic-module]] "
          "[CASE...]\n");
      return 2;
    } else {
      arguments.wanted.push_back(argument);
    }
  }
  return arguments.envoy.empty() ? inlay::conformance::run_all(arguments)
                                 : inlay::conformance::run_in_envoys(arguments);
}
