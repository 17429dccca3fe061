// SPDX-License-Identifier: Apache-2.0
#pragma once

// Formatter: text with Envoy's %OPERATORS%, as request_headers_to_add, its siblings and access logs take it. Parsed
// once (config/format.h); formatting appends to a string that the caller keeps. Immutable; any thread.
//
//     INLAY_TRY(auto f, Formatter::compile("%REQ(:METHOD)% %PROTOCOL%"));
//     std::string out; f.append(context, out);

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/format.h"
#include "http/header_map.h"
#include "proxy/downstream/filter.h"

namespace inlay::proxy::router {

// Envoy's two- and three-letter names of the flags, joined by commas; "-" for none.
std::string response_flags_text(uint32_t flags);

// The flag of such a name; 0 when Inlay never sets it.
uint32_t response_flag_of(std::string_view name);

struct FormatContext {
  const http::HeaderMap* request_headers = nullptr;
  const http::HeaderMap* response_headers = nullptr;
  const downstream::StreamInfo* info = nullptr;  // not null
  int64_t now_monotonic = 0;                     // nanoseconds
  const http::HeaderMap* response_trailers = nullptr;
};

// Appends what an operator stands for; nothing when it has no value. Bytes are as they came.
void append_value(const config::FormatPart& part, const FormatContext& context, std::string& out);

class Formatter {
 public:
  // Errors: kInvalidArgument for an unknown operator or a "%" that is never closed ("%%" is a percent sign).
  static Result<Formatter> compile(std::string_view format);
  Formatter() = default;
  explicit Formatter(config::Format format);
  // No operator in it: static_text() is all there is.
  bool is_static() const { return parts_.empty(); }
  const std::string& static_text() const { return text_; }
  // An operator without a value appends nothing.
  void append(const FormatContext& context, std::string& out) const;
  // For a line of a log: an operator without a value appends `empty`, and control characters in a value become \xHH, so
  // that no request can write a line of its own.
  void append_line(const FormatContext& context, std::string_view empty, std::string& out) const;

 private:
  std::string text_;
  std::vector<config::FormatPart> parts_;
};

}  // namespace inlay::proxy::router
