// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/metrics.h"

#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

sdk::Line name_of(std::string_view name) {
  sdk::Line line;
  return line.add("header_augmenting.").add(name);
}

sdk::Line name_of(std::string_view source, std::string_view name) {
  return name_of(source).add(".").add(name);
}

}  // namespace

void RequestMetrics::define() {
  injected.define(name_of("injected").view());
  rejected.define(name_of("rejected").view());
  passed_without.define(name_of("passed_without").view());
  stale_used.define(name_of("stale_used").view());
}

void RequestMetrics::flush() {
  injected.flush();
  rejected.flush();
  passed_without.flush();
  stale_used.flush();
}

void SourceMetrics::define(std::string_view source) {
  fetch_ok = sdk::Counter::define(name_of(source, "fetch_ok").view());
  for (size_t i = 0; i < fetch_failed.size(); ++i) {
    fetch_failed[i] = sdk::Counter::define(name_of(source, "fetch_failed.").add(kFetchFailures[i].metric).view());
  }
  refused_header = sdk::Counter::define(name_of("refused_header").view());
  age_s = sdk::Gauge::define(name_of(source, "age_s").view());
  expires_in_s = sdk::Gauge::define(name_of(source, "expires_in_s").view());
}

}  // namespace inlay::header_augmenting
