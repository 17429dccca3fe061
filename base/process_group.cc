// SPDX-License-Identifier: Apache-2.0
#include "base/process_group.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>

extern char** environ;

namespace inlay {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('=') + 1);
}

std::vector<std::string> merged_environment(const std::vector<std::string>& over) {
  std::vector<std::string> merged = over;
  for (char** ours = environ; ours != nullptr && *ours != nullptr; ++ours) {
    const bool hidden =
        std::any_of(over.begin(), over.end(), [&](const auto& o) { return name_of(o) == name_of(*ours); });
    if (!hidden) merged.emplace_back(*ours);
  }
  return merged;
}

int spawn(pid_t& pid, pid_t group, int leash, std::vector<std::string> argv, std::vector<std::string> environment,
          const std::string& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_adddup2(&actions, leash, leash);  // stays open there
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, group);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const int failed =
      posix_spawn(&pid, argv[0].c_str(), &actions, &attributes, pointers(argv).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

// False if all that is left of the group are entries that the system's first process has not reaped yet.
bool anyone_runs_in(pid_t group) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
    if (!isdigit(static_cast<unsigned char>(entry.path().filename().string()[0]))) continue;
    std::string text;
    std::getline(std::ifstream(entry.path() / "stat"), text);
    const size_t name_end = text.rfind(')');  // "pid (name) state parent group ..."
    if (name_end == std::string::npos) continue;
    char state = 0;
    long parent = 0;
    long its_group = 0;
    std::istringstream(text.substr(name_end + 1)) >> state >> parent >> its_group;
    if (its_group == group && state != 'Z' && state != 'X') return true;
  }
  return false;
}

}  // namespace

ProcessGroup::~ProcessGroup() {
  kill();
  wait();
}

Result<> ProcessGroup::start(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                             const std::string& log) {
  const std::lock_guard lock(mutex_);
  if (killed_) return Error{ErrorCode::kUnavailable, "stopped", {}};
  if (!make_leash()) return Error{ErrorCode::kUnavailable, std::strerror(errno), argv[0]};
  pid_t pid = 0;
  // No program is reaped before wait(), so that the group's number stays ours.
  const int failed = spawn(pid, group_, leash_[0], argv, merged_environment(environment), log);
  if (failed != 0) return Error{ErrorCode::kUnavailable, std::strerror(failed), argv[0]};
  if (group_ == 0) {
    group_ = pid;
    tie();
  }
  running_.push_back(pid);
  return {};
}

std::vector<bool> ProcessGroup::wait() {
  std::vector<bool> succeeded;
  for (const pid_t pid : running_) {
    siginfo_t info = {};
    // Not reaped yet: kill() must not meet another process under this number.
    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) continue;
    succeeded.push_back(info.si_code == CLD_EXITED && info.si_status == 0);
  }
  const std::lock_guard lock(mutex_);
  for (const pid_t pid : running_) waitpid(pid, nullptr, 0);
  if (killed_ && group_ != 0) wait_for_the_rest();
  running_.clear();
  group_ = 0;
  untie();
  return succeeded;
}

// Not below 3, also where one of ours is closed: in the programs those are something else.
bool ProcessGroup::make_leash() {
  if (leash_[0] >= 0) return true;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  for (int i = 0; i < 2; ++i) leash_[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int failed = errno;
  for (const int end : ends) close(end);
  if (leash_[0] >= 0 && leash_[1] >= 0) return true;
  untie();
  errno = failed;
  return false;
}

// The system sends the signal for a pipe that can be read, and a pipe without a writer can: it says that it is at its
// end. PR_SET_PDEATHSIG would not do: it is for a program that we start, and not for those that this one starts.
void ProcessGroup::tie() {
  fcntl(leash_[0], F_SETOWN, -group_);
  fcntl(leash_[0], F_SETSIG, SIGKILL);
  fcntl(leash_[0], F_SETFL, O_ASYNC);
}

// What the programs have left running, a cache's server say, is not to be killed with the pipe.
void ProcessGroup::untie() {
  if (leash_[0] >= 0) fcntl(leash_[0], F_SETFL, 0);
  for (int& end : leash_) {
    if (end >= 0) close(end);
    end = -1;
  }
}

// The programs' own children, killed with them, may take a moment to go, and could write files until then.
void ProcessGroup::wait_for_the_rest() {
  constexpr int kTries = 200;
  for (int i = 0; i < kTries && ::kill(-group_, 0) == 0 && anyone_runs_in(group_); ++i) {
    while (waitpid(-group_, nullptr, WNOHANG) > 0) continue;  // ours, where we are the system's first process
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void ProcessGroup::kill() {
  const std::lock_guard lock(mutex_);
  killed_ = true;
  if (group_ != 0) ::kill(-group_, SIGKILL);
}

}  // namespace inlay
