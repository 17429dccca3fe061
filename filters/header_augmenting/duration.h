// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers; and durations as configuration writes them: "250ms", "10s", "5m", "1h30m", "1d"; and as JSON does, in
// seconds.

#include <cstdint>
#include <optional>
#include <string_view>

namespace inlay::header_augmenting {

// The longest duration that is accepted, so that no sum of times can overflow: a hundred years.
inline constexpr uint64_t kMaxDurationMs = 100ull * 365 * 24 * 3600 * 1000;

// whole_number: what the digits that `text` is made of stand for, in decimal; nullopt if there is anything else, or
// nothing, or it is above `max`.
std::optional<uint64_t> whole_number(std::string_view text, uint64_t max);

// parse_duration: one or more whole numbers, each with a unit (ms, s, m, h, d); the result is in milliseconds.
// Nullopt for anything else, and above kMaxDurationMs.
std::optional<uint64_t> parse_duration(std::string_view text);

// read_seconds_ms: `text`, a number of seconds as JSON writes numbers (3600, 3.6e3), in milliseconds; 0 if it is none,
// or not above 0; at least 1 if it is above, at most a hundred years.
uint64_t read_seconds_ms(std::string_view text);

}  // namespace inlay::header_augmenting
