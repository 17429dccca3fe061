// SPDX-License-Identifier: Apache-2.0
#pragma once

// Logging through the host, which adds its own prefix (the plugin's name, mostly) and drops what is below its level.
// Nothing here fails, and nothing is allocated: a line is put together on the stack, also when it is dropped. A line
// has no line end; hosts may cut long ones (Inlay above 64 KiB). Do not log what is secret.
//
//     const int status = 503;
//     const uint64_t delay_ms = 250;
//     log_warn("the provider answered ", status, ", trying again in ", delay_ms, " ms");
//     if (auto value = get_property("unknown"); !value) log_info("no property: ", value.error());

#include <string_view>
#include <type_traits>

#include "sdk/host_functions.h"
#include "sdk/text.h"

namespace inlay::sdk {

using abi::LogLevel;

// log: one line, as it is.
inline void log(LogLevel level, std::string_view message) {
  (void)proxy_log(level, message.data(), message.size());
}

// log: one line of parts, with nothing between them. Each is a string, an integer of any type, a bool, a char or a
// Status (Line::add). Lines above Line::kMaxSize are cut; one string alone is not.
template <class... Parts>
requires(sizeof...(Parts) > 0) void log(LogLevel level, Parts... parts) {
  if constexpr (sizeof...(Parts) == 1 && (std::is_convertible_v<Parts, std::string_view> && ...)) {
    log(level, std::string_view(parts...));
  } else {
    Line line;
    (line.add(parts), ...);
    log(level, line.view());
  }
}

// log_debug and so on: the same at that level.
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
