// SPDX-License-Identifier: Apache-2.0
// What bounds the number of clients: config/overload/v3 OverloadManager with
// extensions/resource_monitors/downstream_connections/v3, and the runtime's connection_limit of a listener.
#include <algorithm>
#include <charconv>
#include <set>

#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr std::string_view kConnections =
    "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig";
constexpr std::string_view kMonitorName = "envoy.resource_monitors.global_downstream_max_connections";
constexpr std::string_view kKeyBegin = "envoy.resource_limits.listener.";
constexpr std::string_view kKeyEnd = ".connection_limit";

constexpr FieldRule kOverloadManager[] = {
    {"refresh_interval", Support::kIgnored, "clients are counted when they come and go"},
    {"resource_monitors", Support::kYes,
     "DownstreamConnectionsConfig, named `envoy.resource_monitors.global_downstream_max_connections`; others are left "
     "out, with a warning"},
    {"actions", Support::kIgnored, "a client beyond the bound is closed at once; there are no other actions"},
    {"loadshed_points", Support::kIgnored, "a client beyond the bound is closed at once; there are no other actions"},
    {"buffer_factory_config", Support::kIgnored, "no stream is reset for its memory"},
};
constexpr FieldRule kMonitor[] = {{"name"}, {"typed_config"}};
constexpr FieldRule kDownstreamConnections[] = {{"max_active_downstream_connections"}};
constexpr FieldRule kRuntime[] = {{"layers"}};
constexpr FieldRule kLayer[] = {
    {"name"},
    {"static_layer", Support::kYes, "other keys are ignored, with a warning"},
    {"disk_layer", Support::kIgnored, "write the keys into a `static_layer`"},
    {"admin_layer", Support::kIgnored, "the admin page sets no keys"},
    {"rtds_layer", Support::kIgnored, "write the keys into a `static_layer`"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.overload.v3.OverloadManager", kOverloadManager},
    {"envoy.config.overload.v3.ResourceMonitor", kMonitor},
    {kConnections, kDownstreamConnections},
    {"envoy.config.bootstrap.v3.LayeredRuntime", kRuntime},
    {"envoy.config.bootstrap.v3.RuntimeLayer", kLayer},
};

// A runtime's value as Envoy reads it: a number, or a string of one.
std::optional<uint64_t> parse_limit(const document::Source& value) {
  if (value.kind != document::Source::Kind::kScalar) return std::nullopt;
  uint64_t limit = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto parsed = std::from_chars(value.text.data(), end, limit);
  if (value.text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return limit;
}

// Keys of a layer are written with dots, as maps in maps, or both.
class Layer {
 public:
  Layer(View layer, std::map<std::string, uint64_t, std::less<>>& limits, BuildContext& context)
      : at_(layer), limits_(limits), context_(context) {}

  void read(const document::Source& map) {
    read("", map);
    if (ignored_.empty()) return;
    context_.report.warning(at_.node(),
                            "Inlay has no runtime flags but the connection_limit of listeners; ignored: " + ignored_);
  }

 private:
  void read(const std::string& prefix, const document::Source& map) {
    for (const document::Source::Entry& entry : map.entries) {
      const std::string key = prefix.empty() ? entry.key : prefix + "." + entry.key;
      if (entry.value->kind == document::Source::Kind::kMap) {
        read(key, *entry.value);
      } else {
        take(key, *entry.value);
      }
    }
  }

  void take(const std::string& key, const document::Source& value) {
    const bool known =
        key.starts_with(kKeyBegin) && key.ends_with(kKeyEnd) && key.size() > kKeyBegin.size() + kKeyEnd.size();
    if (!known) {
      ignored_ += (ignored_.empty() ? "" : ", ") + document::quote(key);
    } else if (const auto limit = parse_limit(value)) {
      limits_[key.substr(kKeyBegin.size(), key.size() - kKeyBegin.size() - kKeyEnd.size())] = *limit;
    } else {
      context_.report.warning(value.place, at_.node().path(),
                              document::quote(key) + " is ignored: its value must be a number of connections");
    }
  }

  View at_;
  std::map<std::string, uint64_t, std::less<>>& limits_;
  BuildContext& context_;
  std::string ignored_;  // names
};

}  // namespace

std::span<const MessageRules> limit_rules() {
  return kRules;
}

std::optional<uint64_t> build_max_clients(View overload_manager, BuildContext& context) {
  std::optional<uint64_t> out;
  if (!overload_manager) return out;
  context.require(overload_manager, "resource_monitors");
  for (View monitor : overload_manager.list("resource_monitors")) {
    context.require(monitor, "name");
    const View config = monitor["typed_config"];
    const std::string type = config ? config.node().any_type : "";
    if (type != kConnections) {
      if (config && config.node().message == nullptr && !type.starts_with("envoy."))
        context.error(config, "Envoy has no message type " + document::quote(type));
      context.report.warning(monitor.node(), "the resource monitor " + document::quote(monitor.text("name")) +
                                                 " is ignored: Inlay monitors the number of clients only (" +
                                                 std::string(kMonitorName) + ")");
      continue;
    }
    if (monitor.text("name") != kMonitorName)
      context.field_error(monitor, "name",
                          "must be " + document::quote(kMonitorName) + ", by which Envoy finds the monitor");
    if (out) context.error(monitor, "stands twice; the number of clients has one bound");
    const int64_t most = config.int64("max_active_downstream_connections");
    if (most < 1) context.field_error(config, "max_active_downstream_connections", "must be at least 1");
    out = static_cast<uint64_t>(std::max<int64_t>(most, 1));
  }
  return out;
}

std::map<std::string, uint64_t, std::less<>> build_connection_limits(View layered_runtime, BuildContext& context) {
  std::map<std::string, uint64_t, std::less<>> limits;
  std::set<std::string> names;
  int admin_layers = 0;
  for (View layer : layered_runtime.list("layers")) {
    if (context.require(layer, "name") && !names.insert(layer.text("name")).second)
      context.field_error(layer, "name", document::quote(layer.text("name")) + " is the name of another layer already");
    if (layer.has("admin_layer") && ++admin_layers > 1)
      context.field_error(layer, "admin_layer", "stands twice; there is at most one");
    constexpr std::string_view kKinds[] = {"static_layer", "disk_layer", "admin_layer", "rtds_layer"};
    if (std::none_of(std::begin(kKinds), std::end(kKinds), [&](std::string_view kind) { return layer.has(kind); }))
      context.error(layer, "needs one of `static_layer`, `disk_layer`, `admin_layer`, `rtds_layer`");
    if (View keys = layer["static_layer"]; keys && keys.node().source != nullptr)
      Layer(keys, limits, context).read(*keys.node().source);
  }
  return limits;
}

}  // namespace inlay::config
