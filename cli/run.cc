// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/file_watch.h"
#include "cli/run_flags.h"
#include "cli/subcommand.h"
#include "config/load.h"
#include "proxy/server.h"

namespace inlay::cli {
namespace {

struct RunOptions {
  std::string config_path;
  std::string config_yaml;
  std::string mode = "serve";
  std::string engine = "auto";
  std::string hazards = "warn";
  bool watch = false;
  FileWatch watched_files;  // of the configuration that was read last
  std::string service_cluster;
  std::string service_node;
  std::string service_zone;
  uint64_t guest_memory_mib = 128;
  uint64_t guest_call_ms = 1000;
  uint32_t drain_time_s = 600;
  uint32_t file_flush_interval_msec = 1000;
  std::vector<std::string> stats_tags;
  std::vector<std::string> ignored;  // flags of Envoy's that were given
  proxy::logging::Logger::Options log;
  proxy::ServerOptions server;
  config::LoadOptions load;
};

int fail(const Error& error) {
  std::fprintf(stderr, "inlay: %s\n", error.to_string().c_str());
  return 1;
}

// `said` gets what there is to say about the file.
Result<config::Bootstrap> load(RunOptions& options, std::string& said) {
  options.watched_files = FileWatch();
  if (options.watch && !options.config_path.empty()) options.watched_files.add(options.config_path);
  options.load.node_is_given = !options.service_cluster.empty() && !options.service_node.empty();
  options.load.on_file = [&options](const std::string& path, config::LoadOptions::FileKind kind) {
    if (options.watch || kind == config::LoadOptions::FileKind::kDynamic) options.watched_files.add(path);
  };
  document::Diagnostics diagnostics;
  constexpr const char* kText = "--config-yaml";
  auto bootstrap =
      options.config_yaml.empty() ? config::load_file(options.config_path, options.load, diagnostics)
      : options.config_path.empty()
          ? config::load_text(options.config_yaml, kText, options.load, diagnostics)
          : config::load_file_and_text(options.config_path, options.config_yaml, kText, options.load, diagnostics);
  said = diagnostics.to_string();
  if (!bootstrap) return bootstrap;
  // As in Envoy, the flags say what the file leaves open.
  const auto fill = [](std::string& field, const std::string& flag) {
    if (field.empty()) field = flag;
  };
  fill(bootstrap->node.cluster, options.service_cluster);
  fill(bootstrap->node.id, options.service_node);
  fill(bootstrap->node.locality.zone, options.service_zone);
  for (const std::string& tag : options.stats_tags) {
    const size_t colon = tag.find(':');
    bootstrap->stats_tags.push_back({tag.substr(0, colon), "", tag.substr(colon + 1)});
  }
  return bootstrap;
}

// Of --stats-tag, as Envoy has it.
std::string check_stats_tag(const std::string& tag) {
  const size_t colon = tag.find(':');
  if (colon == std::string::npos || colon == 0) return "is to be NAME:VALUE, not '" + tag + "'";
  const std::string name = tag.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0; }))
    return "has a name of letters and digits, not '" + name + "'";
  return tag.find('.', colon) == std::string::npos ? "" : "has a value without a dot, unlike '" + tag + "'";
}

// The processors that this process may use.
size_t usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return static_cast<size_t>(CPU_COUNT(&set));
  return std::max(std::thread::hardware_concurrency(), 1u);
}

int run(RunOptions& options) {
  if (options.config_path.empty() && options.config_yaml.empty()) {
    return fail({ErrorCode::kInvalidArgument, "give -c FILE, --config-yaml TEXT, or both", ""});
  }
  options.server.engine = options.engine == "aot"      ? engine::EngineKind::kAot
                          : options.engine == "interp" ? engine::EngineKind::kInterp
                                                       : engine::EngineKind::kAuto;
  options.server.limits.max_memory_bytes = options.guest_memory_mib << 20;
  options.server.limits.call_budget = std::chrono::milliseconds(options.guest_call_ms);
  options.server.drain_time = std::chrono::seconds(options.drain_time_s);
  options.server.log_flush_interval = std::chrono::milliseconds(options.file_flush_interval_msec);
  options.server.version = INLAY_VERSION;
  options.server.fail_hazards = options.hazards == "fail";
  auto log = proxy::logging::Logger::create(options.log);
  if (!log) return fail(log.error());
  if (!options.ignored.empty()) {
    std::string names;
    for (const std::string& name : options.ignored) names += (names.empty() ? "" : ", ") + name;
    (*log)->info("main", "flags of Envoy's without effect here: " + names);
  }
  std::string said;
  auto bootstrap = load(options, said);
  std::fputs(said.c_str(), stderr);
  if (!bootstrap) return fail(bootstrap.error());
  if (options.mode == "validate") {
    const auto valid = proxy::Server::validate(*bootstrap, options.server, **log);
    if (!valid) return fail(valid.error());
    std::printf("configuration '%s' OK\n", options.config_path.c_str());
    return 0;
  }
  options.server.handle_signals = true;
  options.server.reload = [&options](std::string& what) { return load(options, what); };
  options.server.watched_files = [&options] { return options.watched_files; };
  auto server = proxy::Server::create(*bootstrap, options.server, **log);
  if (!server) return fail(server.error());
  return (*server)->run();
}

void add_options(CLI::App& command, RunOptions& options) {
  command.add_option("-c,--config-path", options.config_path, "Envoy v3 bootstrap, YAML or JSON")->type_name(kFile);
  command.add_option("--config-yaml", options.config_yaml, "The bootstrap itself, as YAML; merged into the file of -c");
  command.add_option("--mode", options.mode, "serve, or validate: check everything up to the plugins' start, then end")
      ->check(CLI::IsMember({"serve", "validate"}))
      ->capture_default_str();
  command
      .add_option_function<uint64_t>(
          "--concurrency", [&options](const uint64_t& n) { options.server.concurrency = static_cast<size_t>(n); },
          "Worker threads (default: one for each processor)")
      ->check(CLI::Range(0, 1024));
  command.add_option("-l,--log-level", options.log.level, "trace, debug, info, warning, error, critical or off")
      ->type_name("LEVEL:{trace,debug,info,warning,error,critical,off}")
      ->capture_default_str();
  command.add_option("--component-log-level", options.log.component_levels, "For example wasm:debug,http:trace");
  command.add_option("--log-path", options.log.path, "Log to this file instead of standard error")->type_name(kFile);
  command.add_option("--log-format", options.log.format, "spdlog's pattern of a line");
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
                   "As Envoy: a VM that fails takes requests with it, and content-length may lie");
  command
      .add_option("--hazards", options.hazards,
                  "What a guest does that would end or hang Envoy: warn, or also answer the request with 500 (fail)")
      ->check(CLI::IsMember({"warn", "fail"}))
      ->capture_default_str();
  command.add_flag("--fetch-remote-code", options.server.fetch_remote_code,
                   "With --mode validate: fetch remote code that is not cached");
  command.add_flag("--compat-legacy-properties,!--no-compat-legacy-properties", options.server.compat_legacy_properties,
                   "Also the top-level properties that Envoy 1.33 removed (node, cluster_name, ...)");
  command.add_flag("--allow-unknown-static-fields,--allow-unknown-fields", options.load.allow_unknown_static_fields,
                   "Warn about fields that Envoy does not have, instead of failing");
  command
      .add_option("--leave-out", options.load.leave_out,
                  "NAME of a filter, listener filter or access logger that Inlay lacks, or its type: it takes no part; "
                  "\"safe\": those that decide nothing about access or content. Any number of times")
      ->expected(1)
      ->take_all();
  command.add_flag("--watch", options.watch,
                   "Reload, as at SIGHUP, when the file of -c, or one that it names, has changed");
  command
      .add_option("--drain-time-s", options.drain_time_s,
                  "At most this long from SIGTERM to the end, and for the connections that a reload leaves")
      ->capture_default_str();
  command
      .add_option("--file-flush-interval-msec", options.file_flush_interval_msec,
                  "Access logs are written at the latest this much later")
      ->capture_default_str();
  command
      .add_option("--admin-address-path", options.server.admin_address_path,
                  "Write the admin server's address to this file")
      ->type_name(kFile);
  command.add_option("--service-cluster", options.service_cluster, "node.cluster, when the file has none");
  command.add_option("--service-node", options.service_node, "node.id, when the file has none");
  command.add_option("--service-zone", options.service_zone, "node.locality.zone, when the file has none");
  command.add_option("--stats-tag", options.stats_tags, "NAME:VALUE, a label of all statistics, any number of times")
      ->check(check_stats_tag)
      ->expected(1)
      ->take_all();
  command.set_version_flag("--version", "inlay " INLAY_VERSION);
  add_envoy_flags(command, options.ignored);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  options->server.concurrency = usable_processors();
  CLI::App* command = app.add_subcommand("run", "Run the proxy that an Envoy bootstrap file describes");
  add_options(*command, *options);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace inlay::cli
