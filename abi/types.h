// SPDX-License-Identifier: Apache-2.0
#pragma once

// The proxy-wasm ABI's numbers, exactly as they cross the guest's boundary (ABI 0.1.0, 0.2.0 and 0.2.1;
// proxy-wasm/spec, abi-versions/v0.2.1/README.md, "Types"). Host and guest share this file.

#include <cstdint>

namespace inlay::abi {

enum class Version : uint8_t { k0_1_0, k0_2_0, k0_2_1 };

// Status: proxy_status_t. SDKs in the field panic on numbers outside of this list.
enum class Status : uint32_t {
  kOk = 0,
  kNotFound = 1,
  kBadArgument = 2,
  kSerializationFailure = 3,
  kParseFailure = 4,
  kBadExpression = 5,
  kInvalidMemoryAccess = 6,
  kEmpty = 7,
  kCasMismatch = 8,
  kResultMismatch = 9,
  kInternalFailure = 10,
  kBrokenConnection = 11,
  kUnimplemented = 12,
};

// LogLevel: proxy_log_level_t.
enum class LogLevel : uint32_t { kTrace = 0, kDebug = 1, kInfo = 2, kWarn = 3, kError = 4, kCritical = 5 };

// Action: proxy_action_t as SDKs use it. Hosts read more values (HeadersStatus, DataStatus below).
enum class Action : uint32_t { kContinue = 0, kPause = 1 };

// HeadersStatus: what on_request_headers and on_response_headers may return to Envoy.
enum class HeadersStatus : uint32_t {
  kContinue = 0,
  kStopIteration = 1,
  kContinueAndEndStream = 2,
  kStopAllIterationAndBuffer = 3,
  kStopAllIterationAndWatermark = 4,
};

// DataStatus: what the body callbacks may return to Envoy.
enum class DataStatus : uint32_t {
  kContinue = 0,
  kStopIterationAndBuffer = 1,
  kStopIterationAndWatermark = 2,
  kStopIterationNoBuffer = 3,
};

enum class TrailersStatus : uint32_t { kContinue = 0, kStopIteration = 1 };

// StreamType: proxy_stream_type_t.
enum class StreamType : uint32_t { kHttpRequest = 0, kHttpResponse = 1, kDownstream = 2, kUpstream = 3 };

// CloseType: proxy_peer_type_t, the argument of the TCP close callbacks.
enum class PeerType : uint32_t { kUnknown = 0, kLocal = 1, kRemote = 2 };

// BufferType: proxy_buffer_type_t.
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

// MapType: proxy_map_type_t.
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

// MetricType: proxy_metric_type_t.
enum class MetricType : uint32_t { kCounter = 0, kGauge = 1, kHistogram = 2 };

}  // namespace inlay::abi
