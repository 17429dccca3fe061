// SPDX-License-Identifier: Apache-2.0
#pragma once

// Logging through the host, which adds its own prefix and drops what is below its level.
//
//     sdk::log_warn("the provider answered ", status, ", trying again in ", delay_ms, " ms");

#include <string_view>

#include "sdk/host_functions.h"
#include "sdk/text.h"

namespace inlay::sdk {

using abi::LogLevel;

inline void log(LogLevel level, std::string_view message) {
  (void)proxy_log(level, message.data(), message.size());
}

// log: each part is a string or an unsigned number; lines above Line::kMaxSize are cut.
template <class... Parts>
requires(sizeof...(Parts) > 1) void log(LogLevel level, Parts... parts) {
  Line line;
  (line.add(parts), ...);
  log(level, line.view());
}

template <class... Parts>
void log_debug(Parts... parts) {
  log(LogLevel::kDebug, parts...);
}
template <class... Parts>
void log_info(Parts... parts) {
  log(LogLevel::kInfo, parts...);
}
template <class... Parts>
void log_warn(Parts... parts) {
  log(LogLevel::kWarn, parts...);
}
template <class... Parts>
void log_error(Parts... parts) {
  log(LogLevel::kError, parts...);
}

}  // namespace inlay::sdk
