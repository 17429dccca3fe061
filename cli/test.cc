// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/file_watch.h"
#include "cli/subcommand.h"
#include "coverage/report.h"
#include "tester/report.h"
#include "tester/suite.h"
#include "tester/vocabulary.h"

namespace inlay::cli {
namespace {

using tester::TestResult;

// Exit statuses; docs/guide/test.md has them.
constexpr int kFailed = 1;
constexpr int kWrong = 2;  // the command line, or a file

struct TestOptions {
  std::vector<std::string> paths;
  std::string engine = "auto";
  std::string colour = "auto";
  std::string junit;
  std::string explained;
  std::string world = "process";
  std::string against;          // parted by commas
  std::string coverage_report;  // a folder
  bool coverage = false;
  bool calls = false;
  bool tap = false;
  bool watch = false;
  bool explains = false;
  bool http2 = false;
  tester::SuiteOptions suite;
};

int fail(const Error& error) {
  std::fprintf(stderr, "inlay: %s\n", error.to_string().c_str());
  return kWrong;
}

bool coloured(const TestOptions& options) {
  if (options.colour != "auto") return options.colour == "always";
  const char* const none = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) != 0 && (none == nullptr || *none == '\0');
}

// Progress is a line of a terminal that is written over and over again.
class Progress {
 public:
  explicit Progress(size_t files) : files_(files), shown_(isatty(STDERR_FILENO) != 0) {}
  void at(const TestResult& result) {
    if (!shown_) return;
    if (result.path != path_) ++done_;
    path_ = result.path;
    std::fprintf(stderr, "\r\x1b[K[%zu/%zu] %.*s", done_, files_, 60, path_.c_str());
  }
  void clear() const {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }

 private:
  const size_t files_;
  const bool shown_;
  size_t done_ = 0;
  std::string path_;
};

// Errors: of what could not be written.
Result<Unit> write_junit(const std::string& path, const std::vector<TestResult>& results) {
  std::ofstream file(path);
  file << tester::junit(results);
  if (!file.flush()) return Error{ErrorCode::kIo, "cannot be written", path};
  return Unit{};
}

int explain(const std::string& word) {
  std::fputs(tester::explain(word).c_str(), stdout);
  return word.empty() || tester::is_word(word) ? 0 : kWrong;
}

using Place = tester::Place;

// Where the cases are to run; Envoys that are not on this machine are results that were skipped. Errors: of the command
// line.
Result<std::vector<Place>> places_of(const TestOptions& options, std::vector<TestResult>& skipped) {
  const auto kind = options.world == "sockets" ? Place::Kind::kSockets : Place::Kind::kInProcess;
  const auto protocol = options.http2 ? tester::Protocol::kHttp2 : tester::Protocol::kHttp1;
  if (options.against.empty()) return std::vector<Place>{{kind, {}, protocol}};
  std::vector<Place> places;
  std::stringstream list(options.against);
  for (std::string wanted; std::getline(list, wanted, ',');) {
    auto envoy = tester::find_envoy(wanted);
    if (envoy) {
      places.push_back({Place::Kind::kEnvoy, *std::move(envoy), protocol});
    } else if (envoy.error().code == ErrorCode::kInvalidArgument || wanted.find('/') != std::string::npos) {
      return envoy.error();
    } else {
      TestResult all;
      all.name = "all cases in " + wanted;
      all.path = wanted;
      all.kind = TestResult::Kind::kSkipped;
      all.why_skipped = envoy.error().message;
      skipped.push_back(std::move(all));
    }
  }
  return places;
}

// Runs the cases there; appends their results, and the files that they depend on.
Result<Unit> run_in(const Place& place, const TestOptions& options, std::vector<TestResult>& results,
                    std::vector<std::string>& inputs, std::vector<coverage::ModuleCoverage>& covered) {
  tester::SuiteOptions of_suite = options.suite;
  of_suite.place = place;
  tester::Suite suite(of_suite);
  for (const std::string& path : options.paths) INLAY_RETURN_IF_ERROR(suite.add(path));
  const bool colour = coloured(options);
  Progress progress(suite.files());
  suite.run([&](const TestResult& result) {
    progress.clear();
    if (!options.tap) std::fputs(tester::describe(result, colour).c_str(), stdout);
    if (options.calls && !options.tap) std::fputs(tester::calls_of(result).c_str(), stdout);
    std::fflush(stdout);
    progress.at(result);
    results.push_back(result);
  });
  progress.clear();
  for (std::string& path : suite.inputs()) inputs.push_back(std::move(path));
  covered = suite.coverage();
  for (const std::string& sentence : suite.passed_over()) std::fprintf(stderr, "inlay: %s\n", sentence.c_str());
  if (suite.total() > 0) return Unit{};
  return Error{ErrorCode::kNotFound, "there is no case whose name contains this", options.suite.wanted};
}

int status_of(const std::vector<TestResult>& results) {
  int status = 0;
  for (const TestResult& result : results) {
    if (result.kind == TestResult::Kind::kWrong) return kWrong;
    if (result.kind == TestResult::Kind::kFailed) status = kFailed;
  }
  return status;
}

// All of it, once. The exit status.
int run_once(const TestOptions& options, std::vector<std::string>& inputs) {
  const auto begun = std::chrono::steady_clock::now();
  std::vector<TestResult> results;
  const auto places = places_of(options, results);
  if (!places) return fail(places.error());
  std::vector<coverage::ModuleCoverage> covered;
  for (const Place& place : *places) {
    if (auto ran = run_in(place, options, results, inputs, covered); !ran) return fail(ran.error());
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  if (options.coverage && !options.tap) std::fputs(coverage::text(covered).c_str(), stdout);
  std::fputs((options.tap ? tester::tap(results) : tester::summary(results, took, coloured(options))).c_str(), stdout);
  if (!options.junit.empty()) {
    if (auto written = write_junit(options.junit, results); !written) return fail(written.error());
  }
  if (!options.coverage_report.empty()) {
    if (auto written = coverage::write_reports(covered, options.coverage_report); !written)
      return fail(written.error());
  }
  return status_of(results);
}

// Counts are those of the interpreter in this process.
Result<> check_counting(TestOptions& options) {
  options.suite.records = options.coverage || options.calls || !options.coverage_report.empty();
  if (!options.suite.records) return {};
  if (options.world != "process" || !options.against.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "what guests call is counted in process: neither --world sockets nor --against goes with --calls and "
                 "--coverage",
                 ""};
  }
  if (options.engine != "aot") return {};
  return Error{ErrorCode::kInvalidArgument, "what guests call is counted by the interpreter: leave --engine aot away",
               ""};
}

int test(TestOptions& options) {
  if (options.explains) return explain(options.explained);
  if (options.suite.update && (options.world != "process" || !options.against.empty())) {
    return fail(
        {ErrorCode::kInvalidArgument, "snapshots are what is seen in process: no other place goes with --update", ""});
  }
  if (options.http2 && options.world == "process" && options.against.empty()) {
    return fail({ErrorCode::kInvalidArgument,
                 "in process clients and upstreams speak HTTP/1: --http2 goes with --world sockets and with --against",
                 ""});
  }
  if (auto checked = check_counting(options); !checked) return fail(checked.error());
  options.suite.engine = options.engine == "aot"      ? engine::EngineKind::kAot
                         : options.engine == "interp" ? engine::EngineKind::kInterp
                                                      : engine::EngineKind::kAuto;
  if (options.paths.empty()) options.paths.emplace_back(".");
  std::vector<std::string> inputs;
  int status = run_once(options, inputs);
  while (options.watch && !inputs.empty()) {
    std::fflush(stdout);
    const FileWatch watch(inputs);
    std::fprintf(stderr, "watching %zu files; Ctrl-C ends\n", inputs.size());
    const std::string changed = watch.wait();
    std::printf("\n%s has changed\n", changed.c_str());
    inputs.clear();
    status = run_once(options, inputs);
  }
  return status;
}

}  // namespace

void add_test(CLI::App& app, Action& action) {
  auto options = std::make_shared<TestOptions>();
  CLI::App* command = app.add_subcommand("test", "Test filters with the cases of *.case files");
  command->add_option("FILE|FOLDER", options->paths, "Files, and folders with *.case files (default: this folder)")
      ->type_name(kFile);
  command->add_option("-k", options->suite.wanted, "Only cases whose name contains this");
  command
      ->add_option("--plugin", options->suite.plugin,
                   "The module for test files in Google's format, in the place of their wasm_path")
      ->type_name(kFile);
  command
      ->add_option("--plugin-config", options->suite.plugin_config,
                   "Its configuration, in the place of their config_path")
      ->type_name(kFile);
  command->add_flag("--update", options->suite.update, "Write snapshots anew: read the difference");
  command
      ->add_option("--engine", options->engine,
                   "auto: interpreted, but for modules that are compiled already; aot; interp")
      ->check(CLI::IsMember({"auto", "aot", "interp"}))
      ->capture_default_str();
  command
      ->add_option("--world", options->world,
                   "process: in one process and in virtual time; sockets: in Inlay's server, in real time")
      ->check(CLI::IsMember({"process", "sockets"}))
      ->capture_default_str();
  command->add_option(
      "--against", options->against,
      "Run the cases in Envoy instead: envoy@VERSION[,VERSION...], where that is on this machine, or a path");
  command->add_flag("--http2", options->http2,
                    "Clients and upstreams speak HTTP/2; with --world sockets, or --against");
  command->add_option("-j,--jobs", options->suite.jobs, "Files at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--watch", options->watch, "Run again whenever a case, or a module that one names, has changed");
  command->add_option("--junit", options->junit, "Also write the results to this file, as JUnit's XML")
      ->type_name(kFile);
  command->add_flag("--calls", options->calls,
                    "Say of each case how often its guests were called and called the host, and how long that took");
  command->add_flag("--coverage", options->coverage,
                    "Say which callbacks, host functions and functions of each module were called");
  command
      ->add_option("--coverage-report", options->coverage_report,
                   "Write that into this folder: coverage.json, and index.html with every function")
      ->type_name(kFolder);
  command->add_flag("--tap", options->tap, "Print the results in the Test Anything Protocol");
  command->add_option("--color", options->colour, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  command->add_option("--explain", options->explained, "Explain a word of cases, or list them all")->expected(0, 1);
  command->callback([command, options, &action] {
    options->explains = command->count("--explain") > 0;
    action = [options] { return test(*options); };
  });
}

}  // namespace inlay::cli
