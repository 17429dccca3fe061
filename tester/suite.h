// SPDX-License-Identifier: Apache-2.0
#pragma once

// Suite: the cases of files and folders, run one after another or several at a time, each against its modules: in
// process and in virtual time (in_process.h), on sockets, or in an Envoy (sockets.h).
//
//     Suite suite({.jobs = 2});
//     suite.add("tests");
//     suite.run([](const TestResult& result) { std::cout << result.name << "\n"; });
//     return suite.count(TestResult::Kind::kFailed) == 0;

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "tester/case.h"
#include "tester/envoys.h"
#include "tester/recordings.h"
#include "tester/textpb/exchange.h"
#include "tester/textpb/suite_file.h"
#include "tester/world.h"

namespace inlay::tester {

// Where cases run.
struct Place {
  enum class Kind : uint8_t { kInProcess, kSockets, kEnvoy } kind = Kind::kInProcess;
  Envoy envoy{};                         // kEnvoy
  Protocol protocol = Protocol::kHttp1;  // of clients and upstreams; in process only kHttp1
};

struct SuiteOptions {
  Place place{};
  // kAuto: native code where a cache has some, else the interpreter; nothing is compiled. On sockets the interpreter.
  engine::EngineKind engine = engine::EngineKind::kAuto;
  std::string wanted{};  // only cases whose name has this in it; empty: all
  bool update = false;   // writes snapshots anew
  size_t jobs = 1;       // how many run at a time
  // Of test files in Google's format (tester/textpb): in the place of what their `env` names.
  std::string plugin{};
  std::string plugin_config{};
  bool records = false;  // counts what guests do, which are interpreted for it; in process
};

// What is wrong with a case.
struct Problem {
  std::string place;  // "slow.case:12"; empty: of the case as a whole
  std::string what;   // some lines
  std::string seen;   // what was seen in the place of what was expected: a transcript, or a difference
};

struct TestResult {
  enum class Kind : uint8_t {
    kPassed,
    kFailed,
    kSkipped,
    kWrong,  // the file cannot be read as a case
  };
  std::string name{};  // its path, and of a table the row: "cases/refused.case [401]"
  std::string path{};
  std::string about{};
  Kind kind = Kind::kPassed;
  std::vector<Problem> problems{};
  std::string why_skipped{};
  bool written = false;  // a new snapshot
  std::chrono::nanoseconds took{0};
  std::optional<CallCounts> calls{};  // where they were counted
};

class Suite {
 public:
  explicit Suite(SuiteOptions options) : options_(std::move(options)) {}

  // A file of cases or of Google's tests (tester/textpb), or every *.case below a folder, but for folders whose names
  // begin with a dot. Errors: kNotFound, kIo, and kInvalidArgument for a folder without cases.
  Result<Unit> add(const std::string& path);
  // How many files there are.
  size_t files() const { return paths_.size(); }

  // Runs them. `done` gets each result, in the order of the files and of their rows, on the caller's thread.
  void run(const std::function<void(const TestResult&)>& done);

  size_t count(TestResult::Kind kind) const { return counts_[static_cast<size_t>(kind)]; }
  // Of those that are wanted, once run() is over.
  size_t total() const;
  // The files that the results depend on, once run() is over: cases, what they include, modules and bootstraps that
  // they name; and the folders that the cases are in. Some may not be there.
  std::vector<std::string> inputs() const;
  // What the files of run() have and what was not done, each a sentence.
  std::vector<std::string> passed_over() const { return {passed_over_.begin(), passed_over_.end()}; }
  // What of the modules has been called, once run() is over; empty without SuiteOptions::records.
  std::vector<coverage::ModuleCoverage> coverage() const { return recordings_.coverage(); }

 private:
  std::string name_in_place(const Case& c) const;
  std::string why_not(const Case& c) const;
  std::string expected_of(const Case& c) const;
  std::optional<std::string> play(const Case& c, TestResult& result) const;
  std::unique_ptr<World> make_world(const Run& run) const;
  void add_backtrace(const Case& c, TestResult& result) const;
  void compare(Case& c, std::string seen, TestResult& result) const;
  std::vector<TestResult> run_file(const std::string& path) const;
  TestResult run_case(Case& c) const;
  std::vector<TestResult> run_phase_tests(const std::string& path, const std::string& text) const;
  TestResult run_phase_test(const textpb::TestSuite& suite, const textpb::PhaseTest& test, const std::string& wasm,
                            const std::string& configuration) const;
  TestResult run_exchange(const textpb::TestSuite& suite, const textpb::PhaseTest& test,
                          const textpb::PluginFile& plugin) const;
  Result<std::shared_ptr<engine::Module>> load(const std::string& path, const std::vector<uint8_t>& bytes,
                                               Recordings::OfCase& recording) const;
  bool wants(std::string_view name) const;

  void remember(const std::string& path, const std::vector<Case>& cases) const;

  SuiteOptions options_;
  mutable std::mutex mutex_;  // held for a moment by each run of a file
  mutable std::set<std::string> inputs_;
  mutable Recordings recordings_;
  mutable std::set<std::string> passed_over_;
  std::vector<std::string> paths_;
  size_t counts_[4] = {};
};

// "cases/slow.case", "cases/refused.case [401]"
std::string name_of(const Case& c);

}  // namespace inlay::tester
