// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/process_group.h"
#include "base/result.h"

namespace inlay::compiler {

// CompilerRun runs one program of a C toolchain in one directory, where its temporary files and its complaints go.
class CompilerRun {
 public:
  // `stop` ends what runs.
  CompilerRun(const std::string& program, const std::string& directory, std::stop_token stop)
      : program_(program), directory_(directory), stop_(stop), on_stop_(std::move(stop), Kill{&processes_}) {}

  // Runs one command a list of arguments, all at the same time, and waits for them. kUnavailable with the program's own
  // words if one fails, and if it was stopped.
  Result<> run(const std::vector<std::vector<std::string>>& commands);

 private:
  struct Kill {
    ProcessGroup* processes;
    void operator()() const { processes->kill(); }
  };

  Error stopped() const { return {ErrorCode::kUnavailable, "the C compiler was stopped", program_}; }
  std::string log(size_t command) const { return directory_ + "/log" + std::to_string(command); }

  const std::string program_;
  const std::string directory_;
  std::stop_token stop_;
  ProcessGroup processes_;
  std::stop_callback<Kill> on_stop_;
};

}  // namespace inlay::compiler
