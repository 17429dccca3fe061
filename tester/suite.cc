// SPDX-License-Identifier: Apache-2.0
#include "tester/suite.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "base/read_file.h"
#include "tester/in_process.h"
#include "tester/modules.h"
#include "tester/play.h"
#include "tester/server.h"
#include "tester/sockets.h"
#include "tester/source_backtrace.h"

namespace inlay::tester {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Kind = TestResult::Kind;

constexpr size_t kLargest = 16 << 20;  // bytes of a file
// Bounds a guest that hangs; long for an interpreter on a busy machine.
constexpr std::chrono::milliseconds kCallBudget{10'000};
constexpr std::string_view kNothing = "== start\n";  // has been seen
constexpr size_t kAround = 3;                        // lines around a change

TestResult result_of(const Case& c, std::string name) {
  TestResult result;
  result.name = std::move(name);
  result.path = c.path;
  result.about = c.about;
  return result;
}

TestResult wrong_file(const std::string& path, const Error& error) {
  TestResult result;
  result.name = result.path = path;
  result.kind = Kind::kWrong;
  result.problems.push_back({error.where, error.message, ""});
  return result;
}

// Whether an expectation of the case speaks of it, so that it is no surprise.
bool expects(const Case& c, const Incident& incident) {
  const auto speaks = [&](const Expectation& e) {
    if (e.no) return false;
    if (incident.kind == Incident::Kind::kTrap) return e.of == Expectation::Of::kTrap;
    return e.of == Expectation::Of::kHazard && (e.name.empty() || e.name == incident.hazard);
  };
  if (std::any_of(c.at_start.begin(), c.at_start.end(), speaks)) return true;
  return std::any_of(c.steps.begin(), c.steps.end(), [&](const Step& step) {
    return std::any_of(step.expectations.begin(), step.expectations.end(), speaks);
  });
}

// Whether `--update` writes what is seen.
bool has_snapshot(const Case& c) {
  return !c.expected.empty() || !c.has_expectations();
}

// Hazards that no line expects, and failures of VMs that neither a line nor a snapshot does.
void add_incidents(const Case& c, const Transcript& transcript, TestResult& result) {
  using Of = Incident::Kind;
  for (const Incident& incident : incidents(transcript, 0)) {
    if (expects(c, incident) || (incident.kind == Of::kTrap && has_snapshot(c))) continue;
    std::string what = incident.line;
    if (incident.kind == Of::kTrap) what += "\n`expect trap` is for a case that is about it";
    if (incident.kind == Of::kHazard)
      what += "\n`expect hazard " + incident.hazard + "` is for a case that is about it";
    result.problems.push_back({"", std::move(what), incident.backtrace});
  }
}

bool is_trap(const Problem& problem) {
  return problem.what.starts_with("the VM of plugin ");
}

// The first trap's that has one.
std::string backtrace_of(const Transcript& transcript) {
  for (const Incident& incident : incidents(transcript, 0)) {
    if (!incident.backtrace.empty()) return incident.backtrace;
  }
  return "";
}

// How long nothing happens before a step is over, on sockets: only where no snapshot says when all has come.
constexpr std::chrono::milliseconds kQuiet{100};
constexpr std::chrono::milliseconds kQuietInEnvoy{250};
constexpr std::chrono::milliseconds kLongestWait{20'000};  // in real time, all of a case's together

// The host's own lines have other words in Envoy.
std::string without_host_lines(std::string_view transcript) {
  std::string text;
  while (!transcript.empty()) {
    const size_t end = std::min(transcript.find('\n'), transcript.size() - 1) + 1;
    if (!transcript.starts_with("host [")) text += transcript.substr(0, end);
    transcript.remove_prefix(end);
  }
  return text;
}

}  // namespace

std::string name_of(const Case& c) {
  return c.row.empty() ? c.path : c.path + " [" + c.row + "]";
}

Result<Unit> Suite::add(const std::string& path) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) {
    if (!fs::exists(path, failed)) return Error{ErrorCode::kNotFound, "there is no such file or folder", path};
    paths_.push_back(path);
    return Unit{};
  }
  std::vector<std::string> found;
  fs::recursive_directory_iterator at(path, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    const fs::path& file = at->path();
    if (at->is_directory() && file.filename().string().starts_with('.')) at.disable_recursion_pending();
    if (file.extension() != ".case" || !at->is_regular_file()) continue;
    found.push_back(path == "." ? file.lexically_normal().string() : file.string());
  }
  if (failed) return Error{ErrorCode::kIo, failed.message(), path};
  if (found.empty()) {
    return Error{ErrorCode::kInvalidArgument, "there are no *.case files in this folder or below it", path};
  }
  std::sort(found.begin(), found.end());
  paths_.insert(paths_.end(), found.begin(), found.end());
  return Unit{};
}

size_t Suite::total() const {
  return counts_[0] + counts_[1] + counts_[2] + counts_[3];
}

bool Suite::wants(std::string_view name) const {
  return name.find(options_.wanted) != std::string_view::npos;
}

std::string Suite::name_in_place(const Case& c) const {
  const std::string how = options_.place.protocol == Protocol::kHttp2 ? " by HTTP/2" : "";
  switch (options_.place.kind) {
    case Place::Kind::kInProcess:
      return name_of(c);
    case Place::Kind::kSockets:
      return name_of(c) + " on sockets" + how;
    default:
      return name_of(c) + " in Envoy " + options_.place.envoy.version + how;
  }
}

// Why the case is not run by that protocol; empty where it is.
std::string why_not_by(const Case& c, Protocol protocol) {
  if (c.only_protocol && *c.only_protocol != protocol) {
    return "only by " + std::string(to_string(*c.only_protocol)) + ": " + c.only_protocol_because;
  }
  if (!c.runs_by(protocol)) return "a network filter sees bytes of HTTP/1 here, or of no HTTP at all";
  if (protocol == Protocol::kHttp1 || c.has_expectations() || !c.expected_by_http2.empty()) return "";
  return "all that it expects is its snapshot, which is of HTTP/1";
}

// Why the case is not run in this place; empty where it is.
std::string Suite::why_not(const Case& c) const {
  const bool in_process = options_.place.kind == Place::Kind::kInProcess;
  if (c.only && *c.only != (in_process ? Transport::kInProcess : Transport::kSockets)) {
    return "only " + std::string(in_process ? "on sockets" : "in process") + ": " + c.only_because;
  }
  if (std::string why = why_not_by(c, options_.place.protocol); !why.empty()) return why;
  if (in_process) return "";
  if (!c.bootstrap.empty()) return "the addresses of `bootstrap:` are the file's own; such a case runs in process";
  std::chrono::milliseconds waits{0};
  for (const Step& step : c.steps) waits += step.time;
  if (waits <= kLongestWait) return "";
  return "it waits for " + std::to_string(waits.count() / 1000) + " s, which is real time on sockets";
}

// The snapshot for this place.
std::string Suite::expected_of(const Case& c) const {
  if (options_.place.protocol == Protocol::kHttp2) return c.expected_by_http2;
  if (options_.place.kind != Place::Kind::kEnvoy) return c.expected;
  const std::string* const own = c.expected_in_envoy(options_.place.envoy.version);
  return own != nullptr ? *own : c.expected;
}

std::unique_ptr<World> Suite::make_world(const Run& run) const {
  switch (options_.place.kind) {
    case Place::Kind::kInProcess:
      return make_in_process(run);
    case Place::Kind::kSockets:
      return make_sockets(run, make_inlay_server(run), kQuiet, true);
    default:
      return make_sockets(run, make_envoy_server(run, options_.place.envoy.binary), kQuietInEnvoy, true);
  }
}

// Plays it, and says what is wrong but for the snapshot. The transcript; nothing when it cannot be run.
std::optional<std::string> Suite::play(const Case& c, TestResult& result) const {
  const bool in_process = options_.place.kind == Place::Kind::kInProcess;
  const bool interpreted = !in_process && options_.engine == engine::EngineKind::kAuto;
  Recordings::OfCase recording(recordings_);
  Play play(c, interpreted ? engine::EngineKind::kInterp : options_.engine, modules_of(c), kCallBudget, expected_of(c));
  play.speak(options_.place.protocol);
  if (options_.records && in_process) play.record(recording);
  auto world = make_world(play.run());
  Player player = play.player(*world);
  if (!in_process) player.wait_for_requests();
  const auto played = player.play();
  if (play.run().recording != nullptr) {
    world.reset();
    result.calls = recording.finish();
  }
  if (!played) {
    const Error& error = played.error();
    const std::string seen = play.transcript().text();
    result.problems.push_back({error.where, "it cannot be run: " + error.message, seen == kNothing ? "" : seen});
    return std::nullopt;
  }
  for (const Failure& failure : player.failures()) {
    result.problems.push_back({failure.place, failure.line + "\n" + failure.why, failure.seen});
  }
  add_incidents(c, play.transcript(), result);
  if (in_process && (options_.engine != engine::EngineKind::kInterp || options_.records)) add_backtrace(c, result);
  for (Problem& problem : result.problems) {
    if (is_trap(problem)) problem.seen = with_source(play.run(), problem.what, problem.seen);
  }
  return play.seen();
}

// Native code knows no names of functions, and one with counters no lines of source: has a case whose guest has trapped
// there run once more, interpreted as it is.
void Suite::add_backtrace(const Case& c, TestResult& result) const {
  const auto unknown = std::find_if(result.problems.begin(), result.problems.end(), [this](const Problem& problem) {
    return is_trap(problem) && (options_.records || problem.seen.empty());
  });
  if (unknown == result.problems.end()) return;
  Play play(c, engine::EngineKind::kInterp, modules_of(c), kCallBudget, "");
  const auto world = make_in_process(play.run());
  if (play.player(*world).play()) unknown->seen = backtrace_of(play.transcript());
}

TestResult Suite::run_case(Case& c) const {
  TestResult result = result_of(c, name_in_place(c));
  result.why_skipped = why_not(c);
  if (!result.why_skipped.empty()) {
    result.kind = Kind::kSkipped;
    return result;
  }
  const auto begun = Clock::now();
  const bool snapshot = has_snapshot(c);
  auto seen = play(c, result);
  if (seen && snapshot) compare(c, *std::move(seen), result);
  result.took = Clock::now() - begun;
  if (!result.problems.empty()) result.kind = Kind::kFailed;
  return result;
}

// What was seen with the snapshot, or makes it that.
void Suite::compare(Case& c, std::string seen, TestResult& result) const {
  if (options_.update) {
    result.written = seen != c.expected;
    c.expected = std::move(seen);
    return;
  }
  std::string expected = expected_of(c);
  if (expected.empty() && options_.place.protocol == Protocol::kHttp2) return;  // its lines are what it is held to
  if (expected.empty()) {
    result.problems.push_back(
        {"", "it expects nothing: write `expect` lines, or have `inlay test --update` write all that is seen", seen});
    return;
  }
  if (options_.place.kind == Place::Kind::kEnvoy) {
    seen = without_host_lines(seen);
    expected = without_host_lines(expected);
  }
  if (seen == expected) return;
  result.problems.push_back({"", "what is seen is not what the snapshot has (- expected, + seen)",
                             near_changes(difference(expected, seen), kAround)});
}

void Suite::remember(const std::string& path, const std::vector<Case>& cases) const {
  const std::lock_guard lock(mutex_);
  const fs::path folder = fs::path(path).parent_path();
  inputs_.insert({path, folder.empty() ? "." : folder.string()});
  for (const Case& c : cases) {
    inputs_.insert(c.sources.begin(), c.sources.end());
    std::vector<std::string> named = {c.bootstrap};
    for (const PluginCase& plugin : c.plugins) named.push_back(plugin.module);
    for (const std::string& file : named) {
      if (!file.empty()) inputs_.insert(find_file(c, file, "file").value_or(file));
    }
  }
}

std::vector<std::string> Suite::inputs() const {
  return {inputs_.begin(), inputs_.end()};
}

std::vector<TestResult> Suite::run_file(const std::string& path) const {
  auto text = read_file(path, kLargest);
  if (!text) return {wrong_file(path, text.error())};
  if (textpb::is_suite_file(path)) return run_phase_tests(path, *text);
  auto cases = parse_file(path, *text, Dialect::kFilters);
  remember(path, cases ? *cases : std::vector<Case>{});
  if (!cases) {
    if (!wants(path)) return {};
    return {wrong_file(path, cases.error())};
  }
  std::vector<TestResult> results;
  bool write = false;
  for (Case& c : *cases) {
    if (!wants(name_of(c))) continue;
    results.push_back(run_case(c));
    write |= results.back().written;
  }
  if (!write) return results;
  if (auto written = write_expectations(*cases); !written) results.push_back(wrong_file(path, written.error()));
  return results;
}

void Suite::run(const std::function<void(const TestResult&)>& done) {
  std::vector<std::promise<std::vector<TestResult>>> results(paths_.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < paths_.size(); i = next++) results[i].set_value(run_file(paths_[i]));
  };
  const auto take = [&](size_t i) {
    for (const TestResult& result : results[i].get_future().get()) {
      ++counts_[static_cast<size_t>(result.kind)];
      done(result);
    }
  };
  if (options_.jobs <= 1) {
    for (size_t i = 0; i < paths_.size(); ++i) {
      results[i].set_value(run_file(paths_[i]));
      take(i);
    }
    return;
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(options_.jobs, paths_.size()); ++i) threads.emplace_back(work);
  for (size_t i = 0; i < paths_.size(); ++i) take(i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace inlay::tester
