// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "proxy/access_log/access_log.h"
#include "proxy/http/stream_logger.h"

namespace inlay::proxy::access_log {

// FilteredLogger lets through to another logger what the filter of an access log does. Both outlive it.
class FilteredLogger final : public http::StreamLogger {
 public:
  FilteredLogger(const AccessLog& log, http::StreamLogger& to) : log_(log), to_(to) {}
  void log(const http::StreamRecord& record) override {
    if (log_.wants(record)) to_.log(record);
  }

 private:
  const AccessLog& log_;
  http::StreamLogger& to_;
};

}  // namespace inlay::proxy::access_log
