// SPDX-License-Identifier: Apache-2.0
#pragma once

// Logger: the program's log, in Envoy's form: "[2026-11-23 01:02:03.456][thread][level][component] message".
// Thread-safe. A message is one line whatever is in it, since guests and peers have a say in some: line breaks and
// other control characters are escaped (base/printable.h), but for line breaks at its end, which are left out.
//
//     INLAY_TRY(auto log, Logger::create({.level = "info", .component_levels = "wasm:debug,http:trace"}));
//     log->info("main", "starting");

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "host/embedder.h"

namespace inlay::proxy::logging {

class Logger final : public host::Log {
 public:
  struct Options {
    std::string level = "info";
    std::string component_levels;  // "component:level,component:level"
    std::string path = {};         // appended to; empty: standard error
    std::string format = {};       // spdlog's pattern, with Envoy's %_ and %j; empty: the form above
  };
  // Errors: kInvalidArgument for an unknown level or component (the message lists those that exist), kIo for the file.
  // A component that only Envoy has is no error; a line says that it is ignored.
  static Result<std::unique_ptr<Logger>> create(const Options& options);
  ~Logger() override;

  abi::LogLevel level(std::string_view component) const override;
  void write(abi::LogLevel level, std::string_view component, std::string_view message) override;

  void debug(std::string_view component, std::string_view message) { write(abi::LogLevel::kDebug, component, message); }
  void info(std::string_view component, std::string_view message) { write(abi::LogLevel::kInfo, component, message); }
  void warn(std::string_view component, std::string_view message) { write(abi::LogLevel::kWarn, component, message); }
  void error(std::string_view component, std::string_view message) { write(abi::LogLevel::kError, component, message); }

  // An empty component means all of them. Errors as create().
  Result<Unit> set_level(std::string_view component, std::string_view level);
  // Every component with its level, by name.
  std::vector<std::pair<std::string, std::string>> levels() const;

 private:
  struct Impl;
  explicit Logger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace inlay::proxy::logging
