// SPDX-License-Identifier: Apache-2.0
#pragma once

// The filter's metrics, each defined once with the host, prefix "header_augmenting.". Counts of the hot path are kept
// in the worker and handed over on its tick, so that a request costs no call for them.

#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "filters/header_augmenting/fetch_failure.h"
#include "sdk/metrics.h"

namespace inlay::header_augmenting {

// TallyCounter: a counter that is added to here, and handed to the host by flush.
class TallyCounter {
 public:
  void define(std::string_view name) { counter_ = sdk::Counter::define(name); }
  void add() { ++pending_; }
  void flush() {
    counter_.increment(pending_);
    pending_ = 0;
  }

 private:
  sdk::Counter counter_;
  uint64_t pending_ = 0;
};

// RequestMetrics: what became of requests.
struct RequestMetrics {
  TallyCounter injected;        // requests that got headers
  TallyCounter rejected;        // requests that were answered, for want of headers
  TallyCounter passed_without;  // requests that went on without
  TallyCounter stale_used;      // requests that got headers past their expiry

  void define();
  void flush();
};

// SourceMetrics: the life of one source.
struct SourceMetrics {
  sdk::Counter fetch_ok;
  std::array<sdk::Counter, std::size(kFetchFailures)> fetch_failed;
  sdk::Counter refused_header;
  sdk::Gauge age_s;
  sdk::Gauge expires_in_s;

  void define(std::string_view source);
};

}  // namespace inlay::header_augmenting
