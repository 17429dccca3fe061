// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log/log_files.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace inlay::proxy::access_log {
namespace {

using Clock = std::chrono::steady_clock;

int open_for_append(const std::string& path) {
  struct stat there = {};
  // To open a pipe for writing alone waits for its reader.
  const bool pipe = ::stat(path.c_str(), &there) == 0 && S_ISFIFO(there.st_mode);
  return ::open(path.c_str(), (pipe ? O_RDWR : O_WRONLY) | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

bool is_regular(int fd) {
  struct stat status = {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// As much of `text` as a pipe with room takes without waiting: whole lines if there are any, so that they stay
// together among those of others.
std::string_view piece(std::string_view text) {
  if (text.size() <= PIPE_BUF) return text;
  const size_t end = text.rfind('\n', PIPE_BUF - 1);
  return text.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

}  // namespace

struct LogFiles::Impl {
  struct File;
  struct Work {
    File* file = nullptr;  // nullptr: reopen all
    std::string lines;
  };

  explicit Impl(Options o)
      : options(std::move(o)),
        buffered(options.metrics.define(abi::MetricType::kCounter, "filesystem.write_buffered")),
        completed(options.metrics.define(abi::MetricType::kCounter, "filesystem.write_completed")),
        failed(options.metrics.define(abi::MetricType::kCounter, "filesystem.write_failed")),
        dropped(options.metrics.define(abi::MetricType::kCounter, "filesystem.write_dropped")),
        reopen_failed(options.metrics.define(abi::MetricType::kCounter, "filesystem.reopen_failed")),
        waiting_bytes(options.metrics.define(abi::MetricType::kGauge, "filesystem.write_total_buffered")) {}

  void hand_over(File& file, std::string lines);
  void run();
  void reopen_all();
  void write(File& file, std::string_view lines);
  bool write_all(const File& file, std::string_view text) const;
  bool wait_for_room(int fd) const;

  const Options options;
  stats::Counter buffered, completed, failed, dropped, reopen_failed;
  stats::Gauge waiting_bytes;
  std::vector<std::unique_ptr<File>> files;

  std::mutex mutex;
  std::condition_variable work_came;
  std::vector<Work> queue;
  size_t queued_bytes = 0;  // also what the thread has taken and not yet written
  bool ending = false;
  std::atomic<Clock::time_point> give_up = Clock::time_point::max();  // for what does not take what is written
  std::thread thread;                                                 // from the first open() on
};

struct LogFiles::Impl::File final : LogFile {
  File(Impl& owner, std::string file_path, int descriptor, bool is_own)
      : impl(owner), path(std::move(file_path)), fd(descriptor), own(is_own), regular(is_regular(descriptor)) {}
  ~File() override {
    if (own) ::close(fd);
  }
  void write(std::string lines) override { impl.hand_over(*this, std::move(lines)); }

  Impl& impl;
  const std::string path;
  int fd;
  const bool own;  // false: the process's stdout or stderr
  bool regular;    // false: a pipe or the like, which may not take what is written
  bool failing = false;
};

void LogFiles::Impl::hand_over(File& file, std::string lines) {
  if (lines.empty()) return;
  const size_t size = lines.size();
  {
    const std::lock_guard lock(mutex);
    if (queued_bytes + size > options.most_waiting) {
      dropped.add();
      return;
    }
    queued_bytes += size;
    queue.push_back({&file, std::move(lines)});
  }
  buffered.add();
  work_came.notify_one();
}

void LogFiles::Impl::run() {
  pthread_setname_np(pthread_self(), "access_log");
  std::vector<Work> taken;
  std::unique_lock lock(mutex);
  while (true) {
    work_came.wait(lock, [this] { return !queue.empty() || ending; });
    if (queue.empty()) return;
    taken.swap(queue);
    waiting_bytes.set(static_cast<int64_t>(queued_bytes));
    lock.unlock();
    size_t done = 0;
    for (const Work& work : taken) {
      if (work.file == nullptr) {
        reopen_all();
      } else {
        write(*work.file, work.lines);
        done += work.lines.size();
      }
    }
    taken.clear();
    lock.lock();
    queued_bytes -= done;
    waiting_bytes.set(static_cast<int64_t>(queued_bytes));
  }
}

void LogFiles::Impl::reopen_all() {
  for (auto& file : files) {
    if (!file->own) continue;
    const int fd = open_for_append(file->path);
    if (fd < 0) {
      reopen_failed.add();
      if (options.warn) options.warn("cannot reopen '" + file->path + "': " + std::strerror(errno));
      continue;  // the old file is better than none
    }
    ::close(std::exchange(file->fd, fd));
    file->regular = is_regular(fd);
  }
}

// False, with errno: the time for it is over, or the system refuses.
bool LogFiles::Impl::wait_for_room(int fd) const {
  constexpr int kLookAgain = 50;  // ms, whether the end has come
  while (true) {
    pollfd ready{fd, POLLOUT, 0};
    const int found = ::poll(&ready, 1, kLookAgain);
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) return false;
    if (Clock::now() < give_up.load()) continue;
    errno = ETIMEDOUT;
    return false;
  }
}

// Writes all of it; false, with errno, when the system refuses, or when nobody reads it and the end has come.
bool LogFiles::Impl::write_all(const File& file, std::string_view text) const {
  while (!text.empty()) {
    if (!file.regular && !wait_for_room(file.fd)) return false;
    const std::string_view now = file.regular ? text : piece(text);
    const ssize_t n = ::write(file.fd, now.data(), now.size());
    if (n >= 0)
      text.remove_prefix(static_cast<size_t>(n));
    else if (errno != EINTR && errno != EAGAIN)  // again: a standard output that somebody made non-blocking
      return false;
  }
  return true;
}

void LogFiles::Impl::write(File& file, std::string_view lines) {
  if (write_all(file, lines)) {
    completed.add();
    file.failing = false;
    return;
  }
  failed.add();
  if (!std::exchange(file.failing, true) && options.warn) {
    options.warn("cannot write '" + file.path + "', entries are lost: " + std::strerror(errno));
  }
}

LogFiles::LogFiles(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

LogFiles::~LogFiles() {
  if (!impl_->thread.joinable()) return;
  impl_->give_up = Clock::now() + kLongestEnd;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->work_came.notify_one();
  impl_->thread.join();
}

Result<LogFile*> LogFiles::open(const config::AccessLog& log) {
  using Sink = config::AccessLog::Sink;
  const std::string path = log.sink == Sink::kStdout   ? "/dev/stdout"
                           : log.sink == Sink::kStderr ? "/dev/stderr"
                                                       : log.path;
  for (const auto& file : impl_->files) {
    if (file->path == path) return static_cast<LogFile*>(file.get());
  }
  const bool own = path != "/dev/stdout" && path != "/dev/stderr";
  const int fd = own ? open_for_append(path) : path == "/dev/stdout" ? STDOUT_FILENO : STDERR_FILENO;
  if (fd < 0) return Error{ErrorCode::kIo, std::string("cannot open the access log: ") + std::strerror(errno), path};
  impl_->files.push_back(std::make_unique<Impl::File>(*impl_, path, fd, own));
  if (!impl_->thread.joinable()) impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
  return static_cast<LogFile*>(impl_->files.back().get());
}

void LogFiles::reopen() {
  if (!impl_->thread.joinable()) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->queue.push_back({});
  }
  impl_->work_came.notify_one();
}

}  // namespace inlay::proxy::access_log
