// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/log.h"

#include <string>

#include "dynamic_module/envoy_abi.h"

namespace inlay::dynamic_module {

void write_log(abi::LogLevel level, std::string_view message) {
  if (envoy::log != nullptr) envoy::log(static_cast<uint32_t>(level), std::string("inlay: ").append(message));
}

abi::LogLevel EnvoyLog::level(std::string_view) const {
  for (uint32_t level = 0; level < static_cast<uint32_t>(abi::LogLevel::kCritical); ++level)
    if (envoy::log_enabled(level)) return static_cast<abi::LogLevel>(level);
  return abi::LogLevel::kCritical;
}

void EnvoyLog::write(abi::LogLevel level, std::string_view, std::string_view message) {
  envoy::log(static_cast<uint32_t>(level), message);
}

}  // namespace inlay::dynamic_module
