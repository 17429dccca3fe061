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

namespace inlay::tester {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Kind = TestResult::Kind;

constexpr size_t kLargest = 16 << 20;  // bytes of a file
// Bounds a guest that hangs; long for an interpreter on a busy machine.
constexpr std::chrono::milliseconds kCallBudget{10'000};
constexpr size_t kAround = 3;  // lines around a change

TestResult result_of(const Case& c) {
  TestResult result;
  result.name = name_of(c);
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
    return incident.hazard.empty() ? e.of == Expectation::Of::kTrap
                                   : e.of == Expectation::Of::kHazard && (e.name.empty() || e.name == incident.hazard);
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
  for (const Incident& incident : incidents(transcript, 0)) {
    if (expects(c, incident) || (incident.hazard.empty() && has_snapshot(c))) continue;
    const std::string line = incident.hazard.empty() ? "expect trap" : "expect hazard " + incident.hazard;
    result.problems.push_back({"", incident.line + "\n`" + line + "` is for a case that is about it", ""});
  }
}

// Plays it, and says what is wrong but for the snapshot. The transcript; nothing when it cannot be run.
std::optional<std::string> play(const Case& c, engine::EngineKind engine, TestResult& result) {
  Play play(c, engine, modules_of(c), kCallBudget, c.expected);
  const auto world = make_in_process(play.run());
  Player player = play.player(*world);
  const auto played = player.play();
  if (!played) {
    const Error& error = played.error();
    result.problems.push_back({error.where, "it cannot be run: " + error.message, play.transcript().text()});
    return std::nullopt;
  }
  for (const Failure& failure : player.failures()) {
    result.problems.push_back({failure.place, failure.line + "\n" + failure.why, failure.seen});
  }
  add_incidents(c, play.transcript(), result);
  return play.seen();
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

TestResult Suite::run_case(Case& c) const {
  TestResult result = result_of(c);
  if (c.only == Transport::kSockets) {
    result.kind = Kind::kSkipped;
    result.why_skipped = "only on sockets: " + c.only_because;
    return result;
  }
  const auto begun = Clock::now();
  const bool snapshot = has_snapshot(c);
  const auto seen = play(c, options_.engine, result);
  if (seen && snapshot && options_.update) {
    result.written = *seen != c.expected;
    c.expected = *seen;
  } else if (seen && snapshot && c.expected.empty()) {
    result.problems.push_back(
        {"", "it expects nothing: write `expect` lines, or have `inlay test --update` write all that is seen", *seen});
  } else if (seen && snapshot && *seen != c.expected) {
    result.problems.push_back({"", "what is seen is not what the snapshot has (- expected, + seen)",
                               near_changes(difference(c.expected, *seen), kAround)});
  }
  result.took = Clock::now() - begun;
  if (!result.problems.empty()) result.kind = Kind::kFailed;
  return result;
}

std::vector<TestResult> Suite::run_file(const std::string& path) const {
  auto text = read_file(path, kLargest);
  if (!text) return {wrong_file(path, text.error())};
  auto cases = parse_file(path, *text, Dialect::kFilters);
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
