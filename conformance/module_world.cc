// SPDX-License-Identifier: Apache-2.0
#include "conformance/module_world.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <vector>

#include "conformance/compiled_guest.h"
#include "conformance/rules.h"
#include "conformance/runner.h"
#include "tester/dynamic_module.h"
#include "tester/play.h"
#include "tester/server.h"
#include "tester/sockets.h"
#include "tester/transcript.h"

namespace inlay::conformance {
namespace {

constexpr const char* kLibrary = INLAY_BINARY_DIR "/libinlay.so";

// Where a case differs, nothing says when a step is over but that nothing happens.
constexpr std::chrono::milliseconds kQuiet{1500};
constexpr std::chrono::milliseconds kCallBudget{60'000};

struct Lines {
  std::vector<std::string> guests;
  std::vector<std::string> others;  // the title, and what clients and upstreams got
};

// What the host says of a guest, in Inlay's words: beside Envoy's it is a line of the host's.
bool is_hosts(const std::string& line) {
  return line.starts_with("host [") || line.find(" [error]: the guest called ") != std::string::npos;
}

// "a: text", "a [warn]: text", "root vm: text"
bool is_guests(const std::string& line) {
  const size_t colon = line.find(": ");
  if (colon == std::string::npos || line.starts_with("== ") || line.starts_with("log ")) return false;
  const std::string_view who = std::string_view(line).substr(0, colon);
  return who.find_first_of("\"=") == std::string_view::npos && who.find(" got ") == std::string_view::npos;
}

Lines lines_of(const std::string& step) {
  Lines lines;
  std::istringstream text(step);
  for (std::string line; std::getline(text, line);) {
    if (is_hosts(line)) continue;
    (is_guests(line) ? lines.guests : lines.others).push_back(std::move(line));
  }
  return lines;
}

// Whether `expected` is `seen` behind lines that are all among those of `seen`.
bool is_with_repeated(const std::vector<std::string>& expected, const std::vector<std::string>& seen) {
  if (expected.size() < seen.size()) return false;
  const auto own = expected.end() - static_cast<std::ptrdiff_t>(seen.size());
  if (!std::equal(own, expected.end(), seen.begin())) return false;
  return std::all_of(expected.begin(), own,
                     [&](const std::string& line) { return std::find(seen.begin(), seen.end(), line) != seen.end(); });
}

// At the start each filter's VMs begin one after the other, on the main thread; those of Envoy's workers come behind
// all that the main thread does. Whether `seen` is `expected` without lines that are all among those of `seen`.
bool is_among_repeated(const std::vector<std::string>& expected, const std::vector<std::string>& seen) {
  auto next = seen.begin();
  for (const std::string& line : expected) {
    if (next != seen.end() && *next == line) {
      ++next;
    } else if (std::find(seen.begin(), seen.end(), line) == seen.end()) {
      return false;
    }
  }
  return next == seen.end();
}

// Whether the lines are the end of one root context: the main thread's, where the worker's VM has gone before.
bool is_end_of_root(const std::vector<std::string>& lines) {
  return std::all_of(lines.begin(), lines.end(), [&](const std::string& line) {
    const bool known =
        line.ends_with(": on_done 1") || line.ends_with(": on_delete 1") || line.find(":   ") != std::string::npos;
    return known && std::count(lines.begin(), lines.end(), line) == 1;
  });
}

bool same_guests(const std::string& step, const std::vector<std::string>& expected,
                 const std::vector<std::string>& seen) {
  if (step.starts_with("== start\n")) return is_among_repeated(expected, seen);
  if (step.starts_with("== end\n") && seen.empty()) return is_end_of_root(expected);
  return is_with_repeated(expected, seen);
}

// Envoy adds its own address to what a module calls.
std::string without_forwarded_for(std::string line) {
  const size_t at = line.find(" x-forwarded-for=");
  if (at != std::string::npos) line.erase(at, line.find(' ', at + 1) - at);
  return line;
}

bool is_same_call(const std::string& expected, const std::string& seen) {
  return expected == seen || (expected.find(" got ") != std::string::npos && expected == without_forwarded_for(seen));
}

// But for what the rules of the case's differences leave out (rules()).
const std::string& shown_by_wasm_filter(const Case& c, std::string_view way) {
  const std::string* const own = c.expected_in_envoy(way);
  return own == nullptr ? c.expected_by(protocol_of(way)) : *own;
}

// Those that hold for what the Wasm filter shows of the case.
std::vector<std::string> rules_of(const Case& c, std::string_view way, const Differences& of_wasm_filter) {
  const std::vector<std::string> names = of_wasm_filter.of(c, way);
  return c.expected_in_envoy(way) == nullptr ? names : unsteady(names);
}

// One run; `expected` is what its steps wait for.
Result<std::string> play_as_module(const Case& c, const Envoy& envoy, std::string_view way,
                                   const Differences& of_wasm_filter, const std::string& expected) {
  tester::Play play(c, engine::EngineKind::kAot, compiled_guest, kCallBudget, expected);
  play.speak(protocol_of(way));
  play.use_dynamic_module(kLibrary);
  const auto world = make_sockets(play.run(), make_envoy_server(play.run(), envoy.binary), kQuiet);
  tester::Player player = play.player(*world);
  player.compare_with([names = rules_of(c, way, of_wasm_filter)](const std::string& one, const std::string& other) {
    return agrees_as_module(apply_rules(names, one), apply_rules(names, other), true);
  });
  INLAY_RETURN_IF_ERROR(player.play());
  return play.seen();
}

}  // namespace

bool loads_modules(std::string_view version) {
  constexpr int kFirst = 38;
  const size_t dot = version.find('.');
  if (dot == std::string_view::npos || version.substr(0, dot) != "1") return dot != std::string_view::npos;
  return std::atoi(std::string(version.substr(dot + 1)).c_str()) >= kFirst;
}

bool runs_as_module(const Case& c, std::string_view way) {
  return runs_in_envoy(c, way) && tester::fits_dynamic_module(c);
}

bool agrees_as_module(const std::string& expected, const std::string& seen, bool forwarded_for) {
  const auto wanted = tester::split_steps(expected);
  const auto got = tester::split_steps(seen);
  const auto same_line = [forwarded_for](const std::string& one, const std::string& other) {
    return forwarded_for ? is_same_call(one, other) : one == other;
  };
  return std::equal(wanted.begin(), wanted.end(), got.begin(), got.end(),
                    [&](const std::string& one, const std::string& other) {
                      const Lines a = lines_of(one);
                      const Lines b = lines_of(other);
                      return same_guests(one, a.guests, b.guests) &&
                             std::equal(a.others.begin(), a.others.end(), b.others.begin(), b.others.end(), same_line);
                    });
}

Result<std::string> run_as_module(const Case& c, const Envoy& envoy, std::string_view way,
                                  const Differences& of_wasm_filter) {
  if (access(kLibrary, R_OK) != 0) return Error{ErrorCode::kNotFound, "this build has no such library", kLibrary};
  INLAY_TRY(std::string seen, play_as_module(c, envoy, way, of_wasm_filter, shown_by_wasm_filter(c, way)));
  const std::string& said = c.expected_by(protocol_of(way));
  if (shown_by_wasm_filter(c, way) == said) return seen;
  // Where the Wasm filter shows less than the case says, a step was over before all of it could be seen.
  const auto names = rules_of(c, way, of_wasm_filter);
  if (agrees_as_module(apply_rules_to_all(names, shown_by_wasm_filter(c, way)), apply_rules_to_all(names, seen), true))
    return seen;
  return play_as_module(c, envoy, way, of_wasm_filter, said);
}

ModuleVerdict judge_as_module(const Case& c, std::string_view way, const Differences& of_wasm_filter,
                              const Differences& differences, const std::string& transcript) {
  using Kind = ModuleVerdict::Kind;
  const std::vector<std::string> names = rules_of(c, way, of_wasm_filter);
  const std::string wanted = apply_rules_to_all(names, shown_by_wasm_filter(c, way));
  const std::string seen = apply_rules_to_all(names, transcript);
  const std::string said = apply_rules_to_all(names, c.expected_by(protocol_of(way)));
  const std::vector<std::string> under = differences.of(c, way);
  const bool recorded = !under.empty();
  ModuleVerdict verdict;
  if (seen == wanted)
    verdict.kind = Kind::kAgrees;
  else if (agrees_as_module(wanted, seen, false))
    verdict.kind = Kind::kAside;
  else if (agrees_as_module(wanted, seen, true))
    verdict.kind = Kind::kForwardedFor;
  else if (agrees_as_module(said, seen, true))
    verdict.kind = Kind::kAsCase;
  else
    return {recorded ? Kind::kRecorded : Kind::kUnexplained, tester::difference(wanted, seen)};
  if (recorded && under.front() != kByChance)
    return {Kind::kUnexplained, "conformance/module_differences has it, and it is none\n"};
  return verdict;
}

}  // namespace inlay::conformance
