// SPDX-License-Identifier: Apache-2.0
#pragma once

// Programs that run beside us and that can be ended together, with all that they have started.

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"

namespace inlay {

// ProcessGroup starts programs in a process group of their own, so that a terminal's ^C does not reach them. They do
// not outlive us, however we end: by SIGKILL, too. That is best effort: it does not reach what has left the group, nor
// a group all of whose programs have closed a descriptor that they did not open, nor one that had been started a moment
// before the end, nor one on a system that refuses the settings of tie(). What a program leaves behind when it has
// ended, and wait() has returned, is its own. One thread starts and waits; kill() may come from any other.
class ProcessGroup {
 public:
  ProcessGroup() = default;
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;
  // Kills what is left.
  ~ProcessGroup();

  // Starts argv[0], an absolute path, without a shell: nothing on its standard input, both outputs in the file `log`,
  // `environment` ("NAME=value") put over ours, no signal blocked. It has the calling thread's nice value.
  // kUnavailable if it cannot be started, or after kill().
  Result<> start(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                 const std::string& log);

  // Waits for all. The result has one flag for each program started, in order: whether it returned 0.
  std::vector<bool> wait();

  // Ends all programs at once, and their children; wait() then returns soon. Nothing can be started any more.
  void kill();

 private:
  void wait_for_the_rest();
  bool make_leash();
  void tie();
  void untie();

  std::mutex mutex_;
  // A pipe that nobody writes to. The programs have its reading end as well, and the writing end is ours alone: when it
  // is closed, be it by the system, the group is killed.
  int leash_[2] = {-1, -1};
  pid_t group_ = 0;  // 0: nothing runs
  bool killed_ = false;
  std::vector<pid_t> running_;
};

}  // namespace inlay
