// SPDX-License-Identifier: Apache-2.0
#include "tester/envoy_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

namespace inlay::tester {
namespace {

// Around each message of the log, since a guest may log several lines.
constexpr char kBegin = '\x01';
constexpr char kEnd = '\x02';

// What the file says behind its last `mark`, as a number.
int number_behind(const std::string& text, char mark) {
  const size_t at = text.rfind(mark);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + 1);
}

}  // namespace

EnvoyProcess::EnvoyProcess(const std::string& binary, const std::string& config, size_t workers, std::string directory,
                           const std::string& logger)
    : directory_(std::move(directory)) {
  const std::string log = directory_ + "/envoy.log";
  std::ofstream(log) << "";
  tail_ = std::make_unique<FileTail>(log);
  run({binary, "-c", config, "--concurrency", std::to_string(workers), "--disable-hot-restart", "--admin-address-path",
       directory_ + "/admin", "--log-level", "warning", "--component-log-level", logger + ":trace", "--log-format",
       std::string(1, kBegin) + "%l|%n|%t|%v" + kEnd, "--file-flush-interval-msec", "10", "--drain-time-s", "1"});
}

void EnvoyProcess::run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = directory_ + "/envoy.log";
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ != 0) {
    ended_ = pid_ < 0;
    return;
  }
  // Between fork and exec only what a process of several threads may call.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  const int out = open(log.c_str(), O_WRONLY | O_APPEND);
  const int none = open("/dev/null", O_RDWR);
  dup2(none, 0);
  dup2(none, 1);
  dup2(out, 2);
  syscall(SYS_close_range, 3, ~0U, 0);  // a socket that it inherits would not be closed when we close it
  execv(arguments[0], arguments.data());
  _exit(127);
}

EnvoyProcess::~EnvoyProcess() {
  if (!ended()) end();
}

void EnvoyProcess::terminate() {
  if (!ended()) kill(pid_, SIGTERM);
}

void EnvoyProcess::end() {
  if (ended()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
  ended_ = true;
}

bool EnvoyProcess::ended() {
  if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return ended_;
}

std::string EnvoyProcess::how() const {
  if (WIFSIGNALED(status_)) return std::string("by signal ") + strsignal(WTERMSIG(status_));
  return WEXITSTATUS(status_) == 0 ? "" : "with status " + std::to_string(WEXITSTATUS(status_));
}

uint16_t EnvoyProcess::admin_port() {
  std::ifstream file(directory_ + "/admin");
  std::string address;
  std::getline(file, address);
  return static_cast<uint16_t>(number_behind(address, ':'));
}

std::vector<LogLine> EnvoyProcess::log() {
  std::vector<LogLine> lines;
  for (const std::string& line : tail_->read()) {
    const bool begins = line.starts_with(kBegin);
    if (!begins && record_.empty()) continue;  // what a library prints
    record_ += begins ? line.substr(1) : "\n" + line;
    if (!record_.ends_with(kEnd)) continue;
    record_.pop_back();
    lines.push_back(split(record_));
    record_.clear();
  }
  return lines;
}

// "level|component|thread|message"
LogLine EnvoyProcess::split(const std::string& record) const {
  std::string parts[3];
  size_t at = 0;
  for (std::string& part : parts) {
    const size_t end = record.find('|', at);
    if (end == std::string::npos) return {"", "", record, 0};
    part = record.substr(at, end - at);
    at = end + 1;
  }
  const int thread = std::atoi(parts[2].c_str()) - pid_;
  return {parts[0] == "warning" ? "warn" : parts[0], parts[1], record.substr(at), thread};
}

}  // namespace inlay::tester
