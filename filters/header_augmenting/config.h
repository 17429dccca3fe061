// SPDX-License-Identifier: Apache-2.0
#pragma once

// The filter's configuration: a JSON object, described in docs/reference/header_augmenting.md. parse_config is a table
// of keys (config.cc); an error is one line that names the key's path, what was found and what was expected.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {

// SourceConfig: one service that provides headers, and when to ask it.
struct SourceConfig {
  std::string name = "default";  // in the metrics' names
  std::string cluster = "sidecar";
  std::string authority = "sidecar";
  std::string path = "/headers";
  uint64_t timeout_ms = 5'000;
  uint64_t every_ms = 360'000;      // lifetime of an answer that says nothing of its own
  uint32_t early_percent = 20;      // an answer that says its lifetime is renewed this much before the end
  uint32_t jitter_percent = 10;     // and any is renewed up to this much earlier
  uint64_t retry_initial_ms = 250;  // exponential, with full jitter
  uint64_t retry_max_ms = 30'000;
};

// WhenMissing: what becomes of a request while there are no headers yet.
struct WhenMissing {
  enum class Action : uint8_t { kReject, kPass };
  Action action = Action::kReject;
  uint32_t status = 503;
  std::string body = "the headers that this request needs are not available yet\n";
  std::string retry_after;  // seconds, in decimal; empty: no such header
};

struct Config {
  std::vector<SourceConfig> sources;
  WhenMissing when_missing;
  size_t max_body = 64 * 1024;
};

// parse_config: reads `text`; no text at all is an empty object. The error is the line to log.
Result<Config, sdk::Line> parse_config(std::string_view text);

}  // namespace inlay::header_augmenting
