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
  play.speak(variant.protocol);
  const auto world = variant.transport == Transport::kSockets
                         ? make_sockets(play.run(), make_inlay_server(play.run()), expected.empty() ? kQuiet : kNever,
                                        expected.empty())
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
  return std::string(engine == EngineKind::kAot ? "aot" : "interpreter") + ", " +
         std::string(protocol == Protocol::kHttp2 ? to_string(protocol) : to_string(transport));
}

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all = {{EngineKind::kInterp, Transport::kInProcess},
                                           {EngineKind::kAot, Transport::kInProcess},
                                           {EngineKind::kInterp, Transport::kSockets},
                                           {EngineKind::kAot, Transport::kSockets},
                                           {EngineKind::kInterp, Transport::kSockets, Protocol::kHttp2}};
  return all;
}

bool takes(const Case& c, const Variant& variant) {
  return (!c.only || *c.only == variant.transport) && c.runs_by(variant.protocol);
}

Outcome observe(const Case& c, const Variant& variant) {
  return play(c, variant, "");
}

Outcome run(const Case& c, const Variant& variant) {
  const std::string& expected = c.expected_by(variant.protocol);
  if (expected.empty()) return {false, "", "the case has no expectation; --update writes one\n"};
  Outcome outcome = play(c, variant, expected);
  if (!outcome.passed || outcome.seen == expected) return outcome;
  outcome.passed = false;
  outcome.text = tester::difference(expected, outcome.seen);
  return outcome;
}

bool runs_in_envoy(const Case& c, std::string_view way) {
  return c.only != Transport::kInProcess && c.runs_by(protocol_of(way));
}

namespace {

// A step is over when what is seen is what must be seen but for the case's differences; in a run that finds them out,
// but for any that could be.
void expect_in_envoy(tester::Player& player, const Case& c, std::string_view way, const Differences& differences,
                     bool expected) {
  std::vector<std::string> names = differences.of(c, way);
  const bool own = c.expected_in_envoy(way) != nullptr;
  if (own && expected) names = unsteady(names);
  if (!expected) {
    names.clear();
    for (const Rule& rule : rules()) names.emplace_back(rule.name);
  }
  player.compare_through([names](const std::string& step) { return apply_rules(names, step); });
}

}  // namespace

Result<std::string> run_in_envoy(const Case& c, const Envoy& envoy, std::string_view way,
                                 const Differences& differences, bool expected) {
  const std::string* const own = c.expected_in_envoy(way);
  const std::string& common = c.expected_by(protocol_of(way));
  Play play(c, EngineKind::kInterp, guest_file, kCallBudget, own != nullptr && expected ? *own : common);
  play.speak(protocol_of(way));
  const auto world =
      make_sockets(play.run(), make_envoy_server(play.run(), envoy.binary), expected ? kSilenceInEnvoy : kQuietInEnvoy);
  tester::Player player = play.player(*world);
  expect_in_envoy(player, c, way, differences, expected);
  INLAY_RETURN_IF_ERROR(player.play());
  return play.seen();
}

}  // namespace inlay::conformance
