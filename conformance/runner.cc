// SPDX-License-Identifier: Apache-2.0
#include "conformance/runner.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "conformance/guest_file.h"
#include "conformance/rules.h"
#include "tester/in_process.h"
#include "tester/play.h"
#include "tester/server.h"
#include "tester/sockets.h"

namespace inlay::conformance {
namespace {

using engine::EngineKind;
using tester::Play;

// How long nothing happens before a step is over: only where no expectation says when all has come, or where it does
// not come.
constexpr std::chrono::milliseconds kNever{0};
constexpr std::chrono::milliseconds kQuiet{400};
constexpr std::chrono::milliseconds kQuietInEnvoy{3000};
constexpr std::chrono::milliseconds kSilenceInEnvoy{10'000};

// Long enough for any machine, but where a case is about it.
constexpr std::chrono::milliseconds kCallBudget{60'000};

Outcome play(const Case& c, const Variant& variant, const std::string& expected) {
  Play play(c, variant.engine, guest_file, kCallBudget, expected);
  const auto world = variant.transport == Transport::kSockets
                         ? make_sockets(play.run(), make_inlay_server(play.run()), expected.empty() ? kQuiet : kNever)
                         : tester::make_in_process(play.run());
  const auto played = play.player(*world).play();
  Outcome outcome;
  outcome.seen = play.seen();
  outcome.passed = static_cast<bool>(played);
  if (!played) outcome.text = played.error().to_string() + "\n" + outcome.seen;
  return outcome;
}

}  // namespace

std::string Variant::name() const {
  return std::string(engine == EngineKind::kAot ? "aot" : "interpreter") + ", " + std::string(to_string(transport));
}

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all = {{EngineKind::kInterp, Transport::kInProcess},
                                           {EngineKind::kAot, Transport::kInProcess},
                                           {EngineKind::kInterp, Transport::kSockets},
                                           {EngineKind::kAot, Transport::kSockets}};
  return all;
}

bool takes(const Case& c, const Variant& variant) {
  return !c.only || *c.only == variant.transport;
}

Outcome observe(const Case& c, const Variant& variant) {
  return play(c, variant, "");
}

Outcome run(const Case& c, const Variant& variant) {
  if (c.expected.empty()) return {false, "", "the case has no expectation; --update writes one\n"};
  Outcome outcome = play(c, variant, c.expected);
  if (!outcome.passed || outcome.seen == c.expected) return outcome;
  outcome.passed = false;
  outcome.text = tester::difference(c.expected, outcome.seen);
  return outcome;
}

bool runs_in_envoy(const Case& c) {
  return c.only != Transport::kInProcess;
}

namespace {

// A step is over when what is seen is what must be seen but for the case's differences; in a run that finds them out,
// but for any that could be.
void expect_in_envoy(tester::Player& player, const Case& c, const Envoy& envoy, const Differences& differences,
                     bool expected) {
  std::vector<std::string> names = differences.of(c, envoy.version);
  const bool own = c.expected_in_envoy(envoy.version) != nullptr;
  if (own && expected) names = unsteady(names);
  if (!expected) {
    names.clear();
    for (const Rule& rule : rules()) names.emplace_back(rule.name);
  }
  player.compare_through([names](const std::string& step) { return apply_rules(names, step); });
}

}  // namespace

Result<std::string> run_in_envoy(const Case& c, const Envoy& envoy, const Differences& differences, bool expected) {
  const std::string* const own = c.expected_in_envoy(envoy.version);
  Play play(c, EngineKind::kInterp, guest_file, kCallBudget, own != nullptr && expected ? *own : c.expected);
  const auto world =
      make_sockets(play.run(), make_envoy_server(play.run(), envoy.binary), expected ? kSilenceInEnvoy : kQuietInEnvoy);
  tester::Player player = play.player(*world);
  expect_in_envoy(player, c, envoy, differences, expected);
  INLAY_RETURN_IF_ERROR(player.play());
  return play.seen();
}

}  // namespace inlay::conformance
