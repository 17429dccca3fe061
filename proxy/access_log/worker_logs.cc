// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log/worker_logs.h"

#include <algorithm>
#include <utility>

namespace inlay::proxy::access_log {

class WorkerLogs::Buffer {
 public:
  Buffer(WorkerLogs& logs, LogFile& file)
      : file_(file), interval_(logs.interval_), timer_(logs.loop_, [this, counter = logs.flushed_by_timer_] {
          counter.add();
          flush();
        }) {}
  ~Buffer() { flush(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  const LogFile& file() const { return file_; }

  void append(const AccessLog& log, const downstream::StreamRecord& record) {
    if (lines_.capacity() < kBufferSize) lines_.reserve(kBufferSize + kRoom);
    log.append(record, lines_);
    if (lines_.size() >= kBufferSize) return flush();
    if (!lines_.empty() && !timer_.armed()) timer_.arm(interval_);
  }

 private:
  static constexpr size_t kRoom = 4096;  // for the line that fills the buffer

  void flush() {
    timer_.disarm();
    if (!lines_.empty()) file_.write(std::exchange(lines_, {}));
  }

  LogFile& file_;
  const std::chrono::milliseconds interval_;
  std::string lines_;
  net::Timer timer_;
};

class WorkerLogs::Logger final : public downstream::StreamLogger {
 public:
  Logger(const AccessLog& log, Buffer& buffer) : log_(log), buffer_(buffer) {}
  void log(const downstream::StreamRecord& record) override { buffer_.append(log_, record); }

 private:
  const AccessLog& log_;
  Buffer& buffer_;
};

WorkerLogs::WorkerLogs(net::EventLoop& loop, stats::MetricStore& metrics, std::chrono::milliseconds flush_interval)
    : loop_(loop),
      flushed_by_timer_(metrics.define(abi::MetricType::kCounter, "filesystem.flushed_by_timer")),
      interval_(std::max(flush_interval, std::chrono::milliseconds(1))) {}

WorkerLogs::~WorkerLogs() = default;

downstream::StreamLogger* WorkerLogs::attach(const AccessLog& log, LogFile& file) {
  auto found = std::find_if(buffers_.begin(), buffers_.end(), [&](const auto& b) { return &b->file() == &file; });
  if (found == buffers_.end()) found = buffers_.insert(buffers_.end(), std::make_unique<Buffer>(*this, file));
  loggers_.push_back(std::make_unique<Logger>(log, **found));
  return loggers_.back().get();
}

}  // namespace inlay::proxy::access_log
