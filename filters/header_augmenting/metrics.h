// SPDX-License-Identifier: Apache-2.0
#pragma once

// The filter's metrics, each defined once with the host, prefix "header_augmenting.". Counts of the hot path are kept
// in the worker and handed over on its tick, so that a request costs no call for them.

#include <array>
#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/fetch_failure.h"
#include "sdk/metrics.h"

namespace inlay::header_augmenting {

// RequestMetrics: what became of requests.
class RequestMetrics {
 public:
  enum Count : uint8_t {
    kInjected,       // requests that got headers
    kRejected,       // requests that were answered, for want of headers
    kHeld,           // requests that waited for headers
    kPassedWithout,  // requests that went on without
    kStaleUsed,      // requests that got headers past their expiry
    kRefusedHeader,  // entries of answers that were left out
    kCounts,
  };

  void define();
  void add(Count count, uint64_t by = 1) { pending_[count] += by; }
  // flush: hands over what has been added since.
  void flush();

 private:
  std::array<sdk::Counter, kCounts> counters_;
  std::array<uint64_t, kCounts> pending_{};
};

// SourceMetrics: the life of one source.
struct SourceMetrics {
  sdk::Counter fetch_ok;
  sdk::Counter invalidated;
  std::array<sdk::Counter, kMaxFetchFailures> fetch_failed;
  sdk::Gauge age_s;
  sdk::Gauge expires_in_s;

  void define(std::string_view source);
};

}  // namespace inlay::header_augmenting
