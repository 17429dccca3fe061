// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "proxy/access_log/access_log.h"
#include "proxy/downstream/stream_logger.h"

namespace inlay::proxy::access_log {

// FilteredLogger lets through to another logger what the filter of an access log does. Both outlive it.
class FilteredLogger final : public downstream::StreamLogger {
 public:
  FilteredLogger(const AccessLog& log, downstream::StreamLogger& to) : log_(log), to_(to) {}
  void log(const downstream::StreamRecord& record) override {
    if (log_.wants(record)) to_.log(record);
  }

 private:
  const AccessLog& log_;
  downstream::StreamLogger& to_;
};

}  // namespace inlay::proxy::access_log
