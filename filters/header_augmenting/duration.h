// SPDX-License-Identifier: Apache-2.0
#pragma once

// Durations as configuration writes them: "250ms", "10s", "5m", "1h30m", "1d".

#include <cstdint>
#include <optional>
#include <string_view>

namespace inlay::header_augmenting {

// The longest duration that is accepted, so that no sum of times can overflow: a hundred years.
inline constexpr uint64_t kMaxDurationMs = 100ull * 365 * 24 * 3600 * 1000;

// parse_duration: one or more whole numbers, each with a unit (ms, s, m, h, d); the result is in milliseconds.
// Nullopt for anything else, and above kMaxDurationMs.
std::optional<uint64_t> parse_duration(std::string_view text);

}  // namespace inlay::header_augmenting
