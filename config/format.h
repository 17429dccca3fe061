// SPDX-License-Identifier: Apache-2.0
#pragma once

// The syntax of text with Envoy's %OPERATORS%, as *_headers_to_add and access logs take it. The loader parses it to
// find mistakes with their place; router/formatter.h gives it values. Plain values.
//
//     INLAY_TRY(Format f, parse_format("%REQ(X-A?:PATH):20% %DURATION%ms"));

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::config {

enum class Operator : uint8_t {
  kText,
  kRequestHeader,
  kResponseHeader,
  kResponseTrailer,
  kProtocol,
  kResponseCode,
  kResponseCodeDetails,
  kResponseFlags,
  kBytesReceived,
  kBytesSent,
  kRequestHeadersBytes,
  kResponseHeadersBytes,
  kDuration,
  kResponseDuration,
  kStartTime,
  kUpstreamHost,
  kUpstreamHostNoPort,
  kUpstreamHostPort,
  kUpstreamCluster,
  kUpstreamLocalAddress,
  kUpstreamLocalNoPort,
  kUpstreamLocalPort,
  kUpstreamTransportFailure,
  kRouteName,
  kDownstreamRemote,
  kDownstreamRemoteNoPort,
  kDownstreamRemotePort,
  kDownstreamDirect,
  kDownstreamDirectNoPort,
  kDownstreamDirectPort,
  kDownstreamLocal,
  kDownstreamLocalNoPort,
  kDownstreamLocalPort,
  kFilterState,
  kDynamicMetadata,
  kHostname,
  kStreamId,
  kConnectionId,
  kAttemptCount,
  kServerName,
  kTlsVersion,
  kTlsCipher,
  kPeerSubject,
  kPeerUri,
  kPeerDns,
  kPeerFingerprint,
  kNothing,  // Envoy has it; here it never has a value
};

struct FormatPart {
  Operator op = Operator::kText;
  std::string text;       // literal text, or what stands in the operator's parentheses (a header's name in lower case)
  std::string otherwise;  // REQ(X?Y): Y
  size_t max_length = std::string::npos;  // ":N"
};

struct Format {
  std::vector<FormatPart> parts;
};

// Errors: kInvalidArgument, with all that is wrong: unknown operators, arguments that one does not take, a "%" that is
// never closed ("%%" is a percent sign).
Result<Format> parse_format(std::string_view text);

// A json_format: a JSON value whose strings are formats.
struct JsonFormat {
  enum class Kind : uint8_t {
    kObject,
    kList,
    kLiteral,  // `literal` is JSON
    kString,   // text with operators, always a JSON string
    kValue,    // one operator: a number where it is one by nature, a string, or null when it has no value
  };
  Kind kind = Kind::kLiteral;
  std::string key;  // in an object: the member's name as a JSON string with its colon
  std::string literal;
  Format format;
  std::vector<JsonFormat> children;
};

}  // namespace inlay::config
