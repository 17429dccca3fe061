// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cli/subcommand.h"
#include "proxy/config/load.h"
#include "proxy/server.h"

namespace inlay::cli {
namespace {

struct RunOptions {
  std::optional<bool> legacy_properties;  // unset: not said
  std::string config_path;
  std::string config_yaml;
  std::string mode = "serve";
  std::string engine = "auto";
  std::string service_cluster;
  std::string service_node;
  std::string service_zone;
  uint64_t guest_memory_mib = 128;
  uint64_t guest_call_ms = 1000;
  uint32_t drain_time_s = 600;
  uint32_t file_flush_interval_msec = 1000;
  proxy::Logger::Options log;
  proxy::ServerOptions server;
  proxy::config::LoadOptions load;
};

// Envoy's flags that have no meaning here: accepted, so that a command line written for Envoy works as it is.
struct IgnoredFlag {
  const char* name;
  bool takes_value;
};
constexpr IgnoredFlag kIgnored[] = {
    {"--base-id", true},
    {"--base-id-path", true},
    {"--restart-epoch", true},
    {"--disable-hot-restart", false},
    {"--parent-shutdown-time-s", true},
    {"--reject-unknown-dynamic-fields", false},
    {"--ignore-unknown-dynamic-fields", false},
    {"--bootstrap-version", true},
    {"--drain-strategy", true},
    {"--log-format", true},
    {"--local-address-ip-version", true},
    {"--cpuset-threads", false},
};

int fail(const Error& error) {
  std::fprintf(stderr, "inlay: %s\n", error.to_string().c_str());
  return 1;
}

Result<proxy::config::Bootstrap> load(const RunOptions& options) {
  proxy::config::Diagnostics diagnostics;
  auto bootstrap = options.config_yaml.empty()
                       ? proxy::config::load_file(options.config_path, options.load, diagnostics)
                       : proxy::config::load_text(options.config_yaml, "--config-yaml", options.load, diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!bootstrap) return bootstrap;
  // As in Envoy, the flags say what the file leaves open.
  const auto fill = [](std::string& field, const std::string& flag) {
    if (field.empty()) field = flag;
  };
  fill(bootstrap->node.cluster, options.service_cluster);
  fill(bootstrap->node.id, options.service_node);
  fill(bootstrap->node.locality.zone, options.service_zone);
  return bootstrap;
}

int run(RunOptions& options) {
  if (options.config_path.empty() == options.config_yaml.empty()) {
    return fail({ErrorCode::kInvalidArgument, "give either -c FILE or --config-yaml TEXT", ""});
  }
  options.server.engine = options.engine == "aot"      ? engine::EngineKind::kAot
                          : options.engine == "interp" ? engine::EngineKind::kInterp
                                                       : engine::EngineKind::kAuto;
  options.server.limits.max_memory_bytes = options.guest_memory_mib << 20;
  options.server.limits.call_budget = std::chrono::milliseconds(options.guest_call_ms);
  options.server.drain_time = std::chrono::seconds(options.drain_time_s);
  options.server.log_flush_interval = std::chrono::milliseconds(options.file_flush_interval_msec);
  options.server.version = INLAY_VERSION;
  options.load.envoy_strict = options.server.envoy_strict;
  options.server.compat_legacy_properties = options.legacy_properties.value_or(!options.server.envoy_strict);
  auto log = proxy::Logger::create(options.log);
  if (!log) return fail(log.error());
  auto bootstrap = load(options);
  if (!bootstrap) return fail(bootstrap.error());
  if (options.mode == "validate") {
    const auto valid = proxy::Server::validate(*bootstrap, options.server, **log);
    if (!valid) return fail(valid.error());
    std::printf("configuration '%s' OK\n", options.config_path.c_str());
    return 0;
  }
  options.server.handle_signals = true;
  auto server = proxy::Server::create(*bootstrap, options.server, **log);
  if (!server) return fail(server.error());
  return (*server)->run();
}

void add_options(CLI::App& command, RunOptions& options) {
  command.add_option("-c,--config-path", options.config_path, "Envoy v3 bootstrap, YAML or JSON");
  command.add_option("--config-yaml", options.config_yaml, "The bootstrap itself, as YAML");
  command.add_option("--mode", options.mode, "serve, or validate: check everything up to the plugins' start, then end")
      ->check(CLI::IsMember({"serve", "validate"}))
      ->capture_default_str();
  command
      .add_option_function<uint64_t>(
          "--concurrency", [&options](const uint64_t& n) { options.server.concurrency = static_cast<size_t>(n); },
          "Worker threads (default: one for each processor)")
      ->check(CLI::Range(0, 1024));
  command.add_option("-l,--log-level", options.log.level, "trace, debug, info, warning, error, critical or off")
      ->capture_default_str();
  command.add_option("--component-log-level", options.log.component_levels, "For example wasm:debug,http:trace");
  command.add_option("--log-path", options.log.path, "Log to this file instead of standard error");
  command.add_option("--engine", options.engine, "auto: compiled where possible; aot; interp")
      ->check(CLI::IsMember({"auto", "aot", "interp"}))
      ->capture_default_str();
  command
      .add_option("--guest-memory-mib", options.guest_memory_mib, "The most memory that a VM may have (Envoy: 1024)")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      .add_option("--guest-call-ms", options.guest_call_ms,
                  "The longest that one call of a guest may take, its start included; 0: no limit, as in Envoy")
      ->check(CLI::Range(0, 3'600'000))
      ->capture_default_str();
  command.add_flag("--envoy-strict", options.server.envoy_strict,
                   "Do as Envoy does even where that is plainly a defect");
  command.add_flag("--fetch-remote-code", options.server.fetch_remote_code,
                   "With --mode validate: fetch remote code that is not cached");
  command.add_flag_function(
      "--compat-legacy-properties,!--no-compat-legacy-properties",
      [&options](int64_t count) { options.legacy_properties = count > 0; },
      "Also the top-level properties that Envoy 1.33 removed (node, cluster_name, ...); on, but with --envoy-strict");
  command.add_flag("--allow-unknown-static-fields", options.load.allow_unknown_static_fields,
                   "Warn about fields that Envoy does not have, instead of failing");
  command.add_option("--drain-time-s", options.drain_time_s, "At most this long from SIGTERM to the end")
      ->capture_default_str();
  command
      .add_option("--file-flush-interval-msec", options.file_flush_interval_msec,
                  "Access logs are written at the latest this much later")
      ->capture_default_str();
  command.add_option("--admin-address-path", options.server.admin_address_path,
                     "Write the admin server's address to this file");
  command.add_option("--service-cluster", options.service_cluster, "node.cluster, when the file has none");
  command.add_option("--service-node", options.service_node, "node.id, when the file has none");
  command.add_option("--service-zone", options.service_zone, "node.locality.zone, when the file has none");
  for (const IgnoredFlag& flag : kIgnored) {
    const auto notice = [name = flag.name] { std::fprintf(stderr, "inlay: %s has no effect\n", name); };
    CLI::Option* option = flag.takes_value ? command.add_option_function<std::string>(
                                                 flag.name, [notice](const std::string&) { notice(); })
                                           : command.add_flag_callback(flag.name, notice);
    option->group("Accepted for Envoy's sake, without effect");
  }
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  options->server.concurrency = std::max(std::thread::hardware_concurrency(), 1u);
  CLI::App* command = app.add_subcommand("run", "Run the proxy that an Envoy bootstrap file describes");
  add_options(*command, *options);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace inlay::cli
