// SPDX-License-Identifier: Apache-2.0
#include "compiler/wasm2c/compiler_run.h"

#include <algorithm>
#include <fstream>

namespace inlay::compiler {
namespace {

// The end of a compiler's complaint, which may be long.
std::string read_complaint(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(2000, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "it says nothing of why" : text;
}

}  // namespace

Result<> CompilerRun::run(const std::vector<std::vector<std::string>>& commands) {
  for (size_t i = 0; i < commands.size(); ++i) {
    std::vector<std::string> argv = {program_};
    argv.insert(argv.end(), commands[i].begin(), commands[i].end());
    // Its temporary files go with our directory, however it ends.
    auto started = processes_.start(argv, {"TMPDIR=" + directory_}, log(i));
    if (started) continue;
    processes_.kill();
    if (stop_.stop_requested()) return stopped();
    started.error().message = "cannot run the C compiler: " + started.error().message;
    return started;
  }
  const std::vector<bool> succeeded = processes_.wait();
  if (stop_.stop_requested()) return stopped();
  const auto failed = std::find(succeeded.begin(), succeeded.end(), false);
  if (failed == succeeded.end()) return {};
  const auto index = static_cast<size_t>(failed - succeeded.begin());
  return Error{ErrorCode::kUnavailable, "the C compiler failed: " + read_complaint(log(index)), program_};
}

}  // namespace inlay::compiler
