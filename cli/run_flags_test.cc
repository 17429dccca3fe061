// SPDX-License-Identifier: Apache-2.0
#include "cli/run_flags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "cli/subcommand.h"

namespace inlay::cli {
namespace {

TEST(RunFlags, ThePageIsThatOfTheTable) {
  std::stringstream page;
  page << std::ifstream(INLAY_SOURCE_DIR "/docs/reference/command_line.md").rdbuf();
  EXPECT_EQ(page.str(), flags_page()) << "`inlay reference --flags` prints it";
}

// The flags of `envoy --help` of 1.36.4 and 1.40.0.
TEST(RunFlags, EachOfEnvoysIsInTheTableAndInTheProgram) {
  CLI::App app;
  Action action;
  add_run(app, action);
  CLI::App* run = app.get_subcommand("run");
  const auto flags = envoy_flags();
  for (const char* name : {"stats-tag",
                           "enable-core-dump",
                           "socket-mode",
                           "socket-path",
                           "disable-extensions",
                           "cpuset-threads",
                           "enable-mutex-tracing",
                           "disable-hot-restart",
                           "mode",
                           "parent-shutdown-time-s",
                           "drain-strategy",
                           "drain-time-s",
                           "file-flush-min-size-kb",
                           "file-flush-interval-msec",
                           "service-zone",
                           "service-node",
                           "service-cluster",
                           "hot-restart-version",
                           "restart-epoch",
                           "log-path",
                           "enable-fine-grain-logging",
                           "log-format-escaped",
                           "log-format",
                           "component-log-level",
                           "log-level",
                           "local-address-ip-version",
                           "admin-address-path",
                           "log-stacktrace-single-entry",
                           "skip-deprecated-logs",
                           "ignore-unknown-dynamic-fields",
                           "reject-unknown-dynamic-fields",
                           "allow-unknown-static-fields",
                           "allow-unknown-fields",
                           "config-yaml",
                           "config-path",
                           "concurrency",
                           "base-id-path",
                           "skip-hot-restart-parent-stats",
                           "skip-hot-restart-on-no-parent",
                           "use-dynamic-base-id",
                           "base-id"}) {
    const std::string flag = "--" + std::string(name);
    EXPECT_TRUE(std::any_of(flags.begin(), flags.end(), [&](const EnvoyFlag& f) { return f.name == flag; })) << flag;
  }
  for (const EnvoyFlag& flag : flags) EXPECT_NE(run->get_option_no_throw(std::string(flag.name)), nullptr) << flag.name;
  EXPECT_TRUE(std::is_sorted(flags.begin(), flags.end(),
                             [](const EnvoyFlag& a, const EnvoyFlag& b) { return a.name < b.name; }));
}

}  // namespace
}  // namespace inlay::cli
