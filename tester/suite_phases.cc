// SPDX-License-Identifier: Apache-2.0
// What a Suite makes of test files in Google's format.
#include <algorithm>
#include <filesystem>

#include "base/read_file.h"
#include "coverage/source_places.h"
#include "tester/modules.h"
#include "tester/suite.h"
#include "tester/textpb/phases.h"

namespace inlay::tester {
namespace {

namespace fs = std::filesystem;
using Kind = TestResult::Kind;

constexpr size_t kLargestModule = 64 << 20;  // bytes
constexpr size_t kLargestConfig = 16 << 20;
constexpr std::chrono::milliseconds kCallBudget{10'000};

TestResult wrong(const std::string& path, const Error& error) {
  TestResult result;
  result.name = result.path = path;
  result.kind = Kind::kWrong;
  result.problems.push_back({error.where, error.message, ""});
  return result;
}

// A file that a suite names: below the folder in which this runs, as in Google's tester, else beside the suite.
Result<std::string> find_beside(const std::string& suite, const std::string& path, const std::string& what) {
  std::error_code ignored;
  const fs::path beside = fs::path(suite).parent_path() / path;
  for (const fs::path& candidate : {fs::path(path), beside}) {
    if (fs::is_regular_file(candidate, ignored)) return candidate.string();
  }
  return Error{ErrorCode::kNotFound,
               "there is no " + what + " " + path + ", below the folder in which this runs or beside the file", suite};
}

}  // namespace

Result<std::shared_ptr<engine::Module>> Suite::load(const std::string& path, const std::vector<uint8_t>& bytes,
                                                    Recordings::OfCase& recording) const {
  if (options_.records) return recording.load(fs::path(path).lexically_normal().string(), bytes);
  return load_module(bytes, options_.engine);
}

TestResult Suite::run_exchange(const textpb::TestSuite& suite, const textpb::PhaseTest& test,
                               const textpb::PluginFile& plugin) const {
  auto c = textpb::exchange_of(suite, test, plugin);
  if (c) return run_case(*c);
  TestResult result;
  result.path = suite.path;
  result.name = suite.path + " [" + test.name + "]";
  if (c.error().code == ErrorCode::kUnsupported) {
    result.kind = Kind::kSkipped;
    result.why_skipped = c.error().message;
    return result;
  }
  result.kind = Kind::kFailed;
  result.problems.push_back({suite.path + ":" + std::to_string(test.line), c.error().to_string(), ""});
  return result;
}

TestResult Suite::run_phase_test(const textpb::TestSuite& suite, const textpb::PhaseTest& test, const std::string& wasm,
                                 const std::string& configuration) const {
  if (options_.place.kind != Place::Kind::kInProcess) return run_exchange(suite, test, {wasm, configuration});
  TestResult result;
  result.path = suite.path;
  result.name = suite.path + " [" + test.name + "]";
  const auto begun = std::chrono::steady_clock::now();
  Recordings::OfCase recording(recordings_);
  const auto text = read_file(wasm, kLargestModule);
  const std::vector<uint8_t> bytes = text ? std::vector<uint8_t>(text->begin(), text->end()) : std::vector<uint8_t>();
  auto module = text ? load(wasm, bytes, recording) : text.error();
  if (!module) {
    result.problems.push_back({suite.path, "it cannot be run: " + module.error().to_string(), ""});
  } else {
    for (textpb::PhaseFailure& failure : textpb::run_phases(suite, test, {*module, configuration, kCallBudget})) {
      std::string seen = coverage::SourcePlaces::of(bytes).in_backtrace(failure.seen);
      result.problems.push_back(
          {suite.path + ":" + std::to_string(failure.line), std::move(failure.what), std::move(seen)});
    }
    module->reset();
    if (options_.records) result.calls = recording.finish();
  }
  result.took = std::chrono::steady_clock::now() - begun;
  result.kind = result.problems.empty() ? Kind::kPassed : Kind::kFailed;
  return result;
}

std::vector<TestResult> Suite::run_phase_tests(const std::string& path, const std::string& text) const {
  auto suite = textpb::read_suite(text, path);
  if (!suite) return {wrong(path, suite.error())};
  const std::string named = options_.plugin.empty() ? suite->wasm_path : options_.plugin;
  if (named.empty()) {
    return {wrong(path, {ErrorCode::kInvalidArgument,
                         "it names no module: `env { wasm_path: \"...\" }` does, or --plugin FILE", path})};
  }
  const auto wasm = find_beside(path, named, "module");
  if (!wasm) return {wrong(path, wasm.error())};
  std::string configuration;
  const std::string config = options_.plugin_config.empty() ? suite->config_path : options_.plugin_config;
  if (!config.empty()) {
    const auto found = find_beside(path, config, "configuration");
    auto content = found ? read_file(*found, kLargestConfig) : Result<std::string>(found.error());
    if (!content) return {wrong(path, content.error())};
    configuration = *std::move(content);
  }
  {
    const std::lock_guard lock(mutex_);
    inputs_.insert({path, *wasm});
    if (!config.empty()) inputs_.insert(config);
    passed_over_.insert(suite->passed_over.begin(), suite->passed_over.end());
  }
  std::vector<TestResult> results;
  for (const textpb::PhaseTest& test : suite->tests) {
    if (wants(path + " [" + test.name + "]")) results.push_back(run_phase_test(*suite, test, *wasm, configuration));
  }
  return results;
}

}  // namespace inlay::tester
