// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is logged goes to Envoy's log, under the name dynamic_modules: its levels are those of `--component-log-level
// dynamic_modules:LEVEL` and of the admin's /logging. Any thread.

#include <string_view>

#include "abi/types.h"
#include "host/embedder.h"

namespace inlay::dynamic_module {

// A line of the module's own.
void write_log(abi::LogLevel level, std::string_view message);

// EnvoyLog: the host's and the guests' lines.
class EnvoyLog final : public host::Log {
 public:
  abi::LogLevel level(std::string_view component) const override;
  void write(abi::LogLevel level, std::string_view component, std::string_view message) override;
};

}  // namespace inlay::dynamic_module
