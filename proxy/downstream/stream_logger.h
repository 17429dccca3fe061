// SPDX-License-Identifier: Apache-2.0
#pragma once

// StreamLogger is told of every stream's end, with all that is known of it. Loop thread only.

#include "http/header_map.h"
#include "proxy/downstream/filter.h"

namespace inlay::proxy::downstream {

// Valid during the call. Of a request that could not be read, or a stream that was never answered, the maps hold what
// there was. Nobody changes them: they are not const because a guest may be given them, to read.
struct StreamRecord {
  const StreamInfo& info;
  HeaderMap& request_headers;
  HeaderMap& request_trailers;
  HeaderMap& response_headers;
  HeaderMap& response_trailers;
  int64_t now_monotonic;  // nanoseconds
};

class StreamLogger {
 public:
  virtual ~StreamLogger() = default;
  virtual void log(const StreamRecord& record) = 0;
};

}  // namespace inlay::proxy::downstream
