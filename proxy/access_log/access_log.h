// SPDX-License-Identifier: Apache-2.0
#pragma once

// AccessLog: one entry of access_log[], ready to write: its filter, and its format compiled once. Immutable; any
// thread.
//
//     INLAY_TRY(AccessLog log, AccessLog::compile(config));
//     log.append(record, lines);        // nothing when the filter says so

#include <string>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "match/string_matcher.h"
#include "proxy/downstream/stream_logger.h"
#include "proxy/router/formatter.h"

namespace inlay::proxy::access_log {

class Filter {
 public:
  // Errors: kInvalidArgument for a regular expression that RE2 does not take.
  static Result<Filter> compile(const config::AccessLogFilter& config);
  bool matches(const downstream::StreamRecord& record) const;

 private:
  bool compare(uint64_t actual) const;

  config::AccessLogFilter::Kind kind_ = config::AccessLogFilter::Kind::kAll;
  config::AccessLogFilter::Op op_ = config::AccessLogFilter::Op::kEqual;
  uint32_t value_ = 0;
  uint32_t flags_ = 0;
  bool any_flag_ = false;
  match::HeaderMatcher header_;
  std::vector<Filter> filters_;
};

class AccessLog {
 public:
  static Result<AccessLog> compile(const config::AccessLog& config);
  // Whether the filter lets it through.
  bool wants(const downstream::StreamRecord& record) const { return !filter_ || filter_->matches(record); }
  // Appends the entry, with its line break; nothing when the filter says so.
  void append(const downstream::StreamRecord& record, std::string& out) const;

 private:
  std::optional<Filter> filter_;
  router::Formatter text_;
  std::optional<config::JsonFormat> json_;
  bool omit_empty_values_ = false;
};

}  // namespace inlay::proxy::access_log
