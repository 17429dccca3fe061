// SPDX-License-Identifier: Apache-2.0
// conformance [--update] [--cases DIRECTORY] [CASE...]: runs the cases whose path contains one of CASE, or all, on both
// engines, in process and on sockets. When all of the tree's own were run, it rewrites docs/reference/conformance.md.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "conformance/page.h"
#include "conformance/runner.h"

namespace inlay::conformance {
namespace {

constexpr const char* kCases = INLAY_SOURCE_DIR "/conformance/cases";

struct Arguments {
  bool update = false;
  std::string directory = kCases;
  std::vector<std::string> wanted;
  bool wants(const Case& c) const {
    if (wanted.empty()) return true;
    for (const std::string& part : wanted) {
      if (c.path.find(part) != std::string::npos) return true;
    }
    return false;
  }
};

std::string title(const Case& c) {
  return c.subject + "/" + c.name;
}

// One new expectation, from the first way in which the case runs; the others must then agree.
bool update(Case& c) {
  for (const Variant& variant : variants()) {
    if (!takes(c, variant)) continue;
    const Outcome outcome = observe(c, variant);
    if (!outcome.passed) {
      std::printf("%s (%s) cannot be run:\n%s\n", title(c).c_str(), variant.name().c_str(), outcome.text.c_str());
      return false;
    }
    if (outcome.seen == c.expected) return true;
    c.expected = outcome.seen;
    std::printf("%s: new expectation\n", title(c).c_str());
    return static_cast<bool>(write_expectation(c, c.expected));
  }
  return false;
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
      failures.insert(title(c) + variant.name());
      std::printf("FAILED %s (%s)\n%s\n", title(c).c_str(), variant.name().c_str(), outcome.text.c_str());
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
    std::ofstream(INLAY_SOURCE_DIR "/docs/reference/conformance.md") << render_page(
        *cases, [&](const Case& c, const Variant& v) { return !failures.contains(title(c) + v.name()); });
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 && chosen > 0 ? 0 : 1;
}

}  // namespace
}  // namespace inlay::conformance

int main(int argc, char** argv) {
  inlay::conformance::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--update") {
      arguments.update = true;
    } else if (argument == "--cases" && i + 1 < argc) {
      arguments.directory = argv[++i];
    } else if (argument.starts_with("-")) {
      std::fprintf(stderr, "usage: conformance [--update] [--cases DIRECTORY] [CASE...]\n");
      return 2;
    } else {
      arguments.wanted.push_back(argument);
    }
  }
  return inlay::conformance::run_all(arguments);
}
