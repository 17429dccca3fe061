// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log/log_files.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace inlay::proxy::access_log {
namespace {

int open_for_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

// Writes all of it; false, with errno, when the system refuses.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {  // a standard output that somebody made non-blocking
      pollfd ready{fd, POLLOUT, 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
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

  const Options options;
  host::Counter buffered, completed, failed, dropped, reopen_failed;
  host::Gauge waiting_bytes;
  std::vector<std::unique_ptr<File>> files;

  std::mutex mutex;
  std::condition_variable work_came;
  std::vector<Work> queue;
  size_t queued_bytes = 0;  // also what the thread has taken and not yet written
  bool ending = false;
  std::thread thread;  // from the first open() on
};

struct LogFiles::Impl::File final : LogFile {
  File(Impl& owner, std::string file_path, int descriptor, bool is_own)
      : impl(owner), path(std::move(file_path)), fd(descriptor), own(is_own) {}
  ~File() override {
    if (own) ::close(fd);
  }
  void write(std::string lines) override { impl.hand_over(*this, std::move(lines)); }

  Impl& impl;
  const std::string path;
  int fd;
  const bool own;  // false: the process's stdout or stderr
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
  }
}

void LogFiles::Impl::write(File& file, std::string_view lines) {
  if (write_all(file.fd, lines)) {
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
