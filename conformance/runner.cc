// SPDX-License-Identifier: Apache-2.0
#include "conformance/runner.h"

#include <cstdlib>
#include <filesystem>

#include "conformance/in_process.h"
#include "conformance/player.h"
#include "conformance/sockets.h"

namespace inlay::conformance {
namespace {

using engine::EngineKind;

constexpr std::chrono::milliseconds kQuiet{400};  // only where no expectation says when all has come

// A directory for one run's files.
class Scratch {
 public:
  Scratch() : path_(std::filesystem::temp_directory_path() / "inlay-conformance-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Outcome play(const Case& c, const Variant& variant, std::vector<std::string> expected_steps) {
  const Scratch scratch;
  Outcome outcome;
  Transcript transcript;
  std::vector<std::string> actors;
  for (const Upstream& u : c.upstreams) actors.push_back(u.name);
  for (const char* client : {"client", "client2", "client3", "client4"}) actors.emplace_back(client);
  actors.emplace_back(kAccessLog);
  transcript.set_actors(std::move(actors));
  const bool update = expected_steps.empty();
  if (!c.shows("start")) expected_steps.insert(expected_steps.begin(), "");
  const Run run{c, variant.engine, transcript, scratch.path()};
  const auto world = variant.transport == Transport::kSockets
                         ? make_sockets(run, update ? kQuiet : std::chrono::milliseconds(0))
                         : make_in_process(run);
  const auto played = Player(c, *world, transcript, std::move(expected_steps)).play();
  outcome.seen = transcript.text();
  if (!c.shows("start")) {
    const size_t second = outcome.seen.find("\n== ");
    outcome.seen = second == std::string::npos ? "" : outcome.seen.substr(second + 1);
  }
  if (!played) {
    outcome.text = played.error().to_string() + "\n" + outcome.seen;
    return outcome;
  }
  outcome.passed = true;
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
  return play(c, variant, {});
}

Outcome run(const Case& c, const Variant& variant) {
  if (c.expected.empty()) return {false, "", "the case has no expectation; --update writes one\n"};
  Outcome outcome = play(c, variant, split_steps(c.expected));
  if (!outcome.passed || outcome.seen == c.expected) return outcome;
  outcome.passed = false;
  outcome.text = difference(c.expected, outcome.seen);
  return outcome;
}

}  // namespace inlay::conformance
