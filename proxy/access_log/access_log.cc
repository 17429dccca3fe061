// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log/access_log.h"

#include <algorithm>

#include "proxy/access_log/json_line.h"

namespace inlay::proxy::access_log {

using Kind = config::AccessLogFilter::Kind;
using Op = config::AccessLogFilter::Op;

Result<Filter> Filter::compile(const config::AccessLogFilter& config) {
  Filter filter;
  filter.kind_ = config.kind;
  filter.op_ = config.op;
  filter.value_ = config.value;
  if (config.kind == Kind::kHeader) {
    INLAY_TRY(filter.header_, match::HeaderMatcher::compile(config.header));
  }
  for (const std::string& flag : config.flags) filter.flags_ |= router::response_flag_of(flag);
  filter.any_flag_ = config.flags.empty();
  for (const config::AccessLogFilter& one : config.filters) {
    INLAY_TRY(Filter compiled, compile(one));
    filter.filters_.push_back(std::move(compiled));
  }
  return filter;
}

bool Filter::compare(uint64_t actual) const {
  switch (op_) {
    case Op::kEqual:
      return actual == value_;
    case Op::kGreaterOrEqual:
      return actual >= value_;
    case Op::kLessOrEqual:
      return actual <= value_;
    case Op::kNotEqual:
      return actual != value_;
  }
  return false;
}

bool Filter::matches(const downstream::StreamRecord& record) const {
  const auto one_matches = [&](const Filter& filter) { return filter.matches(record); };
  switch (kind_) {
    case Kind::kStatusCode:
      return compare(record.info.response_code);
    case Kind::kDuration:
      return compare(static_cast<uint64_t>((record.now_monotonic - record.info.start_monotonic) / 1'000'000));
    case Kind::kHeader:
      return header_.matches(record.request_headers);
    case Kind::kResponseFlag:
      return any_flag_ ? record.info.response_flags != 0 : (record.info.response_flags & flags_) != 0;
    case Kind::kAnd:
      return std::all_of(filters_.begin(), filters_.end(), one_matches);
    case Kind::kOr:
      return std::any_of(filters_.begin(), filters_.end(), one_matches);
    case Kind::kAll:
      return true;
  }
  return true;
}

Result<AccessLog> AccessLog::compile(const config::AccessLog& config) {
  AccessLog log;
  if (config.filter) {
    INLAY_TRY(log.filter_, Filter::compile(*config.filter));
  }
  log.text_ = router::Formatter(config.text);
  log.json_ = config.json;
  log.omit_empty_values_ = config.omit_empty_values;
  return log;
}

void AccessLog::append(const downstream::StreamRecord& record, std::string& out) const {
  if (!wants(record)) return;
  const router::FormatContext context{&record.request_headers, &record.response_headers, &record.info,
                                      record.now_monotonic, &record.response_trailers};
  if (!json_) return text_.append_line(context, omit_empty_values_ ? "" : "-", out);
  append_json(*json_, context, omit_empty_values_, out);
  out += '\n';
}

}  // namespace inlay::proxy::access_log
