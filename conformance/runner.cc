// SPDX-License-Identifier: Apache-2.0
#include "conformance/runner.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/temporary_directory.h"
#include "conformance/in_process.h"
#include "conformance/player.h"
#include "conformance/rules.h"
#include "conformance/server.h"
#include "conformance/sockets.h"

namespace inlay::conformance {
namespace {

using engine::EngineKind;

// How long nothing happens before a step is over: only where no expectation says when all has come, or where it does
// not come.
constexpr std::chrono::milliseconds kNever{0};
constexpr std::chrono::milliseconds kQuiet{400};
constexpr std::chrono::milliseconds kQuietInEnvoy{3000};
constexpr std::chrono::milliseconds kSilenceInEnvoy{10'000};

// One run of a case, and what it needs.
class Play {
 public:
  Play(const Case& c, engine::EngineKind engine, std::string expected)
      : case_(c), run_{c, engine, transcript_, scratch_.path(), std::move(expected)} {
    std::vector<std::string> actors;
    for (const Upstream& u : c.upstreams) actors.push_back(u.name);
    for (const char* client : {"client", "client2", "client3", "client4"}) actors.emplace_back(client);
    actors.emplace_back(kAccessLog);
    transcript_.set_actors(std::move(actors));
  }

  const Run& run() const { return run_; }
  const Transcript& transcript() const { return transcript_; }
  Player player(World& world) {
    std::vector<std::string> steps = split_steps(run_.expected);
    if (!case_.shows("start")) steps.insert(steps.begin(), "");
    return {case_, world, transcript_, std::move(steps)};
  }
  // A transcript from the first step that the case shows on.
  std::string shown(std::string text) const {
    if (case_.shows("start")) return text;
    const size_t second = text.find("\n== ");
    return second == std::string::npos ? "" : text.substr(second + 1);
  }

 private:
  const Case& case_;
  const TemporaryDirectory scratch_{"inlay-conformance-"};  // this run's files
  Transcript transcript_;
  const Run run_;
};

Outcome play(const Case& c, const Variant& variant, const std::string& expected) {
  Play play(c, variant.engine, expected);
  const auto world = variant.transport == Transport::kSockets
                         ? make_sockets(play.run(), make_inlay_server(play.run()), expected.empty() ? kQuiet : kNever)
                         : make_in_process(play.run());
  const auto played = play.player(*world).play();
  Outcome outcome;
  outcome.seen = play.shown(play.transcript().text());
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
  outcome.text = difference(c.expected, outcome.seen);
  return outcome;
}

bool runs_in_envoy(const Case& c) {
  return c.only != Transport::kInProcess;
}

namespace {

// A step is over when what is seen is what must be seen but for the case's differences; in a run that finds them out,
// but for any that could be.
void expect_in_envoy(Player& player, const Case& c, const Envoy& envoy, const Differences& differences, bool expected) {
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
  Play play(c, EngineKind::kInterp, own != nullptr && expected ? *own : c.expected);
  const auto world =
      make_sockets(play.run(), make_envoy_server(play.run(), envoy.binary), expected ? kSilenceInEnvoy : kQuietInEnvoy);
  Player player = play.player(*world);
  expect_in_envoy(player, c, envoy, differences, expected);
  INLAY_RETURN_IF_ERROR(player.play());
  return play.shown(play.transcript().text());
}

}  // namespace inlay::conformance
