// SPDX-License-Identifier: Apache-2.0
#pragma once

// Formatter: text with Envoy's %OPERATORS%, as request_headers_to_add and its siblings take it. Parsed once; formatting
// appends to a string that the caller keeps. Immutable; any thread.
//
//     INLAY_TRY(auto f, Formatter::compile("%REQ(:METHOD)% %PROTOCOL%"));
//     std::string out; f.append(context, out);

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/header_map.h"
#include "proxy/http/filter.h"

namespace inlay::proxy::router {

// Envoy's two- and three-letter names of the flags, joined by commas; "-" for none.
std::string response_flags_text(uint32_t flags);

struct FormatContext {
  const host::HeaderMap* request_headers = nullptr;
  const host::HeaderMap* response_headers = nullptr;
  const http::StreamInfo* info = nullptr;  // not null
  int64_t now_monotonic = 0;               // nanoseconds
};

enum class Operator : uint8_t {
  kText,
  kRequestHeader,
  kResponseHeader,
  kProtocol,
  kResponseCode,
  kResponseCodeDetails,
  kResponseFlags,
  kBytesReceived,
  kBytesSent,
  kDuration,
  kStartTime,
  kUpstreamHost,
  kUpstreamCluster,
  kUpstreamLocalAddress,
  kRouteName,
  kVirtualHostName,
  kDownstreamRemote,
  kDownstreamRemoteNoPort,
  kDownstreamLocal,
  kDownstreamLocalNoPort,
  kDownstreamLocalPort,
  kDownstreamRemotePort,
  kFilterState,
  kHostname,
  kStreamId,
  kRequestedServerName,
  kConnectionId,
  kAttemptCount,
  kNothing,
};

struct FormatPart {
  Operator op = Operator::kText;
  std::string text;       // literal text, or the operator's first name (lower-case header)
  std::string otherwise;  // REQ(X?Y): Y
  size_t max_length = 0;  // ":N"; 0: all
};

class Formatter {
 public:
  // Errors: kInvalidArgument for an unknown operator or a "%" that is never closed ("%%" is a percent sign).
  static Result<Formatter> compile(std::string_view format);
  // No operator in it: static_text() is all there is.
  bool is_static() const { return parts_.empty(); }
  const std::string& static_text() const { return text_; }
  // An operator without a value appends nothing.
  void append(const FormatContext& context, std::string& out) const;

 private:
  std::string text_;
  std::vector<FormatPart> parts_;
};

}  // namespace inlay::proxy::router
