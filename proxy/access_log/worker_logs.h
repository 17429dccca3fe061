// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerLogs: a worker's side of the access logs. Entries gather in a buffer for each file, without a lock, and are
// handed to the writing thread when they fill it, when the flush interval is over, and at the end. Loop thread only.
//
//     WorkerLogs logs(loop, metrics, interval);
//     downstream::StreamLogger* logger = logs.attach(access_log, *file);     // both outlive the logs

#include <chrono>
#include <memory>
#include <vector>

#include "net/event_loop.h"
#include "proxy/access_log/access_log.h"
#include "proxy/access_log/log_files.h"
#include "proxy/downstream/stream_logger.h"
#include "stats/metrics.h"

namespace inlay::proxy::access_log {

class WorkerLogs {
 public:
  static constexpr size_t kBufferSize = 64 * 1024;

  WorkerLogs(net::EventLoop& loop, stats::MetricStore& metrics, std::chrono::milliseconds flush_interval);
  ~WorkerLogs();  // hands over what is left
  WorkerLogs(const WorkerLogs&) = delete;
  WorkerLogs& operator=(const WorkerLogs&) = delete;

  // The logger lives as long as this.
  downstream::StreamLogger* attach(const AccessLog& log, LogFile& file);

 private:
  class Buffer;
  class Logger;
  net::EventLoop& loop_;
  const stats::Counter flushed_by_timer_;
  const std::chrono::milliseconds interval_;
  std::vector<std::unique_ptr<Buffer>> buffers_;  // one for each file
  std::vector<std::unique_ptr<Logger>> loggers_;
};

}  // namespace inlay::proxy::access_log
