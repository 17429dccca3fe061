// SPDX-License-Identifier: Apache-2.0
#include "inspect/wasm_opt.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "base/find_program.h"
#include "base/process_group.h"
#include "base/temporary_directory.h"
#include "inspect/printable.h"

namespace inlay::inspect {
namespace {

namespace fs = std::filesystem;

// Runs argv; false if it did not return 0, and `timed_out` says whether that was for the limit.
Result<bool> run(const std::vector<std::string>& argv, const std::string& log, std::chrono::seconds limit,
                 std::atomic<bool>& timed_out) {
  ProcessGroup group;
  if (auto started = group.start(argv, {}, log); !started) return std::move(started).error();
  std::mutex mutex;
  std::condition_variable_any ended;
  std::jthread guard([&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    ended.wait_for(lock, stop, limit, [] { return false; });
    if (stop.stop_requested()) return;
    timed_out = true;
    group.kill();
  });
  const bool succeeded = group.wait().at(0);
  guard.request_stop();
  guard.join();
  return succeeded;
}

std::string last_line(const std::string& path) {
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = std::move(line);
  }
  return printable(last.substr(0, 200));
}

}  // namespace

std::vector<std::string> wasm_opt_flags(const Layout& layout) {
  constexpr uint64_t kLowMemory = 1024;
  std::vector<std::string> flags = {"-Oz", "--converge"};
  if (layout.data.lowest_address.value_or(kLowMemory) >= kLowMemory) flags.emplace_back("--low-memory-unused");
  flags.insert(flags.end(), {"--zero-filled-memory", "--strip-debug", "--strip-producers", "--mvp-features"});
  for (const FeatureInfo& info : kFeatures) {
    if (layout.features.has(info.feature) && !info.wasm_opt.empty()) flags.emplace_back(info.wasm_opt);
  }
  return flags;
}

WasmOpt run_wasm_opt(std::span<const uint8_t> module, const Layout& layout, const std::string& program,
                     std::chrono::seconds limit) {
  WasmOpt result;
  result.flags = wasm_opt_flags(layout);
  const std::string path = find_program(program);
  if (path.empty()) {
    result.reason = "there is no " + program + " on the PATH (Debian: binaryen)";
    return result;
  }
  result.outcome = WasmOpt::Outcome::kFailed;
  const TemporaryDirectory scratch("inlay-inspect-");
  const std::string input = scratch.file("module.wasm");
  const std::string output = scratch.file("small.wasm");
  std::ofstream file(input, std::ios::binary);
  file.write(reinterpret_cast<const char*>(module.data()), static_cast<std::streamsize>(module.size()));
  file.close();
  if (scratch.path().empty() || !file) {
    result.reason = "the temporary directory cannot be written to";
    return result;
  }
  std::vector<std::string> argv = {path};
  argv.insert(argv.end(), result.flags.begin(), result.flags.end());
  argv.insert(argv.end(), {input, "-o", output});
  std::atomic<bool> timed_out = false;
  const auto succeeded = run(argv, scratch.file("log"), limit, timed_out);
  std::error_code no_size;
  const auto size = fs::file_size(output, no_size);
  if (!succeeded) {
    result.reason = succeeded.error().to_string();
  } else if (timed_out) {
    result.reason = "it was not done after " + std::to_string(limit.count()) + " s";
  } else if (!*succeeded || no_size) {
    result.reason = "it failed: " + last_line(scratch.file("log"));
  } else {
    result.outcome = WasmOpt::Outcome::kRan;
    result.size = size;
  }
  return result;
}

}  // namespace inlay::inspect
