// SPDX-License-Identifier: Apache-2.0
#pragma once

// The proxy-wasm ABI's numbers, exactly as they cross the guest's boundary (ABI 0.1.0, 0.2.0 and 0.2.1;
// proxy-wasm/spec, abi-versions/v0.2.1/README.md, "Types"). Host and guest share this file. A number is never changed:
// modules that are in use have it compiled in. What comes from the other side may be any number, not only one of these.
//
//     using namespace inlay::abi;
//     bool worth_another_try(Status status) {
//       switch (status) {
//         case Status::kCasMismatch:      // another VM has written the key in the meantime
//         case Status::kInternalFailure:  // a limit, or no healthy host: it may be otherwise later
//           return true;
//         default:
//           return false;
//       }
//     }

#include <cstdint>

namespace inlay::abi {

// Version: of the ABI that a module is linked for. A module says it by an export (abi/functions.h, kVersionMarkers).
enum class Version : uint8_t { k0_1_0, k0_2_0, k0_2_1 };

// Status: proxy_status_t, which every host function of "env" returns. SDKs in the field panic on numbers outside of
// this list, and some on those that they do not expect of a function.
enum class Status : uint32_t {
  kOk = 0,
  kNotFound = 1,     // no such key, property, queue, metric, call, foreign function
  kBadArgument = 2,  // an argument is wrong, or the function cannot be used in this callback
  kSerializationFailure =
      3,  // the value has no encoding: the root of a map of properties, bytes that are not a zlib stream
  kParseFailure = 4,
  kBadExpression = 5,
  kInvalidMemoryAccess = 6,  // an address or a size lies outside of the guest's memory
  kEmpty = 7,                // nothing is in the queue
  kCasMismatch = 8,          // the compare-and-swap number is not that of the value
  kResultMismatch = 9,
  kInternalFailure = 10,   // the host cannot: a limit, no healthy host, no memory
  kBrokenConnection = 11,  // from proxy_get_status, of a call that was reset
  kUnimplemented = 12,     // this host does not have the function
};

// LogLevel: proxy_log_level_t, in ascending order of weight.
enum class LogLevel : uint32_t { kTrace = 0, kDebug = 1, kInfo = 2, kWarn = 3, kError = 4, kCritical = 5 };

// Action: proxy_action_t, which the callbacks of a TCP connection return. Those of HTTP return more than two numbers,
// which differ in what they are of: HeadersStatus, DataStatus and TrailersStatus below.
enum class Action : uint32_t { kContinue = 0, kPause = 1 };

// HeadersStatus: what on_request_headers and on_response_headers return; Envoy's FilterHeadersStatus. sdk/context.h has
// what each does.
enum class HeadersStatus : uint32_t {
  kContinue = 0,
  kStopIteration = 1,         // a host may take it for kStopAllIterationAndWatermark, as Envoy does by default
  kContinueAndEndStream = 2,  // neither Envoy nor Inlay does more for it than for kContinue
  kStopAllIterationAndBuffer = 3,
  kStopAllIterationAndWatermark = 4,
};

// DataStatus: what the body callbacks return; Envoy's FilterDataStatus.
enum class DataStatus : uint32_t {
  kContinue = 0,
  kStopIterationAndBuffer = 1,
  kStopIterationAndWatermark = 2,
  kStopIterationNoBuffer = 3,
};

// TrailersStatus: what the trailers' callbacks return; Envoy's FilterTrailersStatus.
enum class TrailersStatus : uint32_t { kContinue = 0, kStopIteration = 1 };

// StreamType: proxy_stream_type_t, a direction of an HTTP stream (the first two) or of a TCP connection.
enum class StreamType : uint32_t { kHttpRequest = 0, kHttpResponse = 1, kDownstream = 2, kUpstream = 3 };

// PeerType: proxy_peer_type_t, by whom a TCP connection was closed: kLocal is the proxy, kRemote the other side.
enum class PeerType : uint32_t { kUnknown = 0, kLocal = 1, kRemote = 2 };

// BufferType: proxy_buffer_type_t. Which one is there is a matter of the callback; kVmConfiguration always is.
enum class BufferType : uint32_t {
  kHttpRequestBody = 0,
  kHttpResponseBody = 1,
  kDownstreamData = 2,
  kUpstreamData = 3,
  kHttpCallResponseBody = 4,
  kGrpcCallMessage = 5,
  kVmConfiguration = 6,
  kPluginConfiguration = 7,
  kForeignFunctionArguments = 8,
};

// MapType: proxy_map_type_t. Which one is there is a matter of the callback.
enum class MapType : uint32_t {
  kHttpRequestHeaders = 0,
  kHttpRequestTrailers = 1,
  kHttpResponseHeaders = 2,
  kHttpResponseTrailers = 3,
  kGrpcCallInitialMetadata = 4,
  kGrpcCallTrailingMetadata = 5,
  kHttpCallResponseHeaders = 6,
  kHttpCallResponseTrailers = 7,
};

// MetricType: proxy_metric_type_t. A counter only grows, a gauge is set or goes either way, a histogram takes values.
enum class MetricType : uint32_t { kCounter = 0, kGauge = 1, kHistogram = 2 };

}  // namespace inlay::abi
