// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/metrics.h"

#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

// In the order of RequestMetrics::Count.
constexpr const char* kNames[] = {"injected", "rejected", "held", "passed_without", "stale_used", "refused_header"};

// full_name: header_augmenting.<source>.<name><more>, without <source>. if there is none.
sdk::Line full_name(std::string_view source, const char* name, const char* more) {
  sdk::Line line;
  line.add("header_augmenting.").add(source).add(source.empty() ? "" : ".").add(name).add(more);
  return line;
}

template <class Metric>
void define(Metric& metric, std::string_view source, const char* name, const char* more = "") {
  metric = Metric::define(full_name(source, name, more).view());
}

}  // namespace

void RequestMetrics::define() {
  for (size_t i = 0; i < kCounts; ++i) header_augmenting::define(counters_[i], {}, kNames[i]);
}

void RequestMetrics::flush() {
  for (size_t i = 0; i < kCounts; ++i) {
    counters_[i].increment(pending_[i]);
    pending_[i] = 0;
  }
}

void SourceMetrics::define(std::string_view source) {
  header_augmenting::define(fetch_ok, source, "fetch_ok");
  header_augmenting::define(invalidated, source, "invalidated");
  for (size_t i = 0; i < fetch_failures(); ++i) {
    header_augmenting::define(fetch_failed[i], source, "fetch_failed.", text_of(i).metric);
  }
  header_augmenting::define(age_s, source, "age_s");
  header_augmenting::define(expires_in_s, source, "expires_in_s");
}

}  // namespace inlay::header_augmenting
