// SPDX-License-Identifier: Apache-2.0
#include "cli/run_flags.h"

namespace inlay::cli {
namespace {

constexpr std::string_view kNoHotRestart = "there is no hot restart";

// By name.
constexpr EnvoyFlag kFlags[] = {
    {"--admin-address-path", true, Treatment::kTaken, ""},
    {"--allow-unknown-fields", false, Treatment::kTaken, "as `--allow-unknown-static-fields`, its newer name"},
    {"--allow-unknown-static-fields", false, Treatment::kTaken, ""},
    {"--base-id", true, Treatment::kIgnored, kNoHotRestart},
    {"--base-id-path", true, Treatment::kIgnored, "there is no hot restart; the file is not written"},
    {"--bootstrap-version", true, Treatment::kIgnored, "of older Envoys; it is always version 3"},
    {"--component-log-level", true, Treatment::kTaken,
     "Envoy's components that Inlay has no log of its own for (`misc`, `router`, ...) are ignored"},
    {"--concurrency", true, Treatment::kTaken, ""},
    {"--config-path", true, Treatment::kTaken, "or `-c`"},
    {"--config-yaml", true, Treatment::kTaken, "merged into the file of `-c` where both are given"},
    {"--cpuset-threads", false, Treatment::kNothing,
     "the default of `--concurrency` is the processors that it may use"},
    {"--disable-extensions", true, Treatment::kRefused,
     "Inlay cannot turn extensions off; take them out of the configuration"},
    {"--disable-hot-restart", false, Treatment::kNothing, kNoHotRestart},
    {"--drain-strategy", true, Treatment::kIgnored, "draining is always immediate"},
    {"--drain-time-s", true, Treatment::kTaken,
     "bounds what SIGTERM, and the connections of a configuration before a reload, wait for"},
    {"--enable-core-dump", false, Treatment::kIgnored, "`ulimit -c` decides"},
    {"--enable-fine-grain-logging", false, Treatment::kIgnored, "levels are by component, not by source file"},
    {"--enable-mutex-tracing", false, Treatment::kIgnored, "there is none"},
    {"--file-flush-interval-msec", true, Treatment::kTaken, ""},
    {"--file-flush-min-size-kb", true, Treatment::kIgnored, "it is 64"},
    {"--hot-restart-version", false, Treatment::kRefused, kNoHotRestart},
    {"--ignore-unknown-dynamic-fields", false, Treatment::kIgnored, "there is no dynamic configuration"},
    {"--local-address-ip-version", true, Treatment::kIgnored, "nothing asks for it"},
    {"--log-format", true, Treatment::kTaken,
     "spdlog's pattern; `%g:%#`, a place in Envoy's source, is empty, `%_` is `%v`"},
    {"--log-format-escaped", false, Treatment::kNothing, "line breaks in messages are always escaped"},
    {"--log-level", true, Treatment::kTaken, "or `-l`"},
    {"--log-path", true, Treatment::kTaken, ""},
    {"--log-stacktrace-single-entry", false, Treatment::kIgnored, "no stack traces are logged"},
    {"--mode", true, Treatment::kTaken, "`serve` or `validate`; `init_only` is refused"},
    {"--parent-shutdown-time-s", true, Treatment::kIgnored, kNoHotRestart},
    {"--reject-unknown-dynamic-fields", false, Treatment::kIgnored, "there is no dynamic configuration"},
    {"--restart-epoch", true, Treatment::kIgnored, kNoHotRestart},
    {"--service-cluster", true, Treatment::kTaken, ""},
    {"--service-node", true, Treatment::kTaken, ""},
    {"--service-zone", true, Treatment::kTaken, ""},
    {"--skip-deprecated-logs", false, Treatment::kIgnored,
     "warnings of the configuration are shown once, at the start"},
    {"--skip-hot-restart-on-no-parent", false, Treatment::kIgnored, kNoHotRestart},
    {"--skip-hot-restart-parent-stats", false, Treatment::kIgnored, kNoHotRestart},
    {"--socket-mode", true, Treatment::kIgnored, kNoHotRestart},
    {"--socket-path", true, Treatment::kIgnored, kNoHotRestart},
    {"--stats-tag", true, Treatment::kTaken, "`NAME:VALUE`, any number of times; a label in Prometheus' format"},
    {"--use-dynamic-base-id", false, Treatment::kIgnored, kNoHotRestart},
};

std::string what(const EnvoyFlag& flag) {
  const std::string note(flag.note);
  switch (flag.treatment) {
    case Treatment::kTaken:
      return "taken" + (note.empty() ? "" : ": " + note);
    case Treatment::kIgnored:
      return "ignored, with a line in the log: " + note;
    case Treatment::kNothing:
      return "accepted: " + note;
    case Treatment::kRefused:
      break;
  }
  return "refused: " + note;
}

}  // namespace

std::span<const EnvoyFlag> envoy_flags() {
  return kFlags;
}

void add_envoy_flags(CLI::App& command, std::vector<std::string>& ignored) {
  for (const EnvoyFlag& flag : kFlags) {
    if (flag.treatment == Treatment::kTaken) continue;
    const auto given = [&flag, &ignored] {
      if (flag.treatment == Treatment::kRefused)
        throw CLI::ValidationError(std::string(flag.name), std::string(flag.note));
      if (flag.treatment == Treatment::kIgnored) ignored.emplace_back(flag.name);
    };
    const std::string name(flag.name);
    CLI::Option* option = flag.takes_value
                              ? command.add_option_function<std::string>(name, [given](const std::string&) { given(); })
                              : command.add_flag_callback(name, given);
    option->group("");
  }
}

std::string flags_page() {
  std::string page =
      "# Envoy's flags\n\n"
      "`inlay run` takes the command line that Envoy takes, pilot-agent's included. This is every flag of Envoy 1.36 "
      "to 1.40, with what\n"
      "Inlay does about it; `inlay run --help` lists what Inlay has of its own. The page is made from the table that "
      "the program reads by\n"
      "(`inlay reference --flags`).\n\n"
      "| flag | |\n| --- | --- |\n";
  for (const EnvoyFlag& flag : kFlags) page += "| `" + std::string(flag.name) + "` | " + what(flag) + " |\n";
  page +=
      "| `--help`, `--version`, `--` | taken |\n\n"
      "`-c` and `--config-yaml` together are merged as Envoy does it: what the text says replaces what the file says, "
      "unless it is a type's\n"
      "default (0, false, an empty text); messages are merged field by field, lists are appended, and of alternatives "
      "the text's counts.\n"
      "`--log-format` cannot split a message: one message is one line.\n";
  return page;
}

}  // namespace inlay::cli
