// SPDX-License-Identifier: Apache-2.0
// Properties. plugin_* are answered here; the stream or the worker knows the rest.

#include <algorithm>
#include <array>

#include "host/flow_context.h"
#include "host/functions.h"
#include "host/vm.h"
#include "host/worker_impl.h"

namespace inlay::host::proxy {
namespace {

using Path = std::vector<std::string_view>;

// Top-level names until Envoy 1.33, part of "xds" since (HostOptions::compat_legacy_properties). At most 32.
constexpr std::array<std::string_view, 9> kLegacyXds = {"node",
                                                        "cluster_name",
                                                        "cluster_metadata",
                                                        "route_name",
                                                        "route_metadata",
                                                        "listener_direction",
                                                        "listener_metadata",
                                                        "filter_chain_name",
                                                        "upstream_host_metadata"};

// Some C++ guests send a NUL at the end as well.
std::string_view trim(std::string_view path) {
  if (path.ends_with('\0')) path.remove_suffix(1);
  return path;
}

Path split(std::string_view path) {
  Path parts;
  for (;;) {
    const size_t end = path.find('\0');
    parts.push_back(path.substr(0, end));
    if (end == std::string_view::npos) return parts;
    path.remove_prefix(end + 1);
  }
}

const std::string* plugin_property(const PluginConfig& config, const Path& path) {
  if (path.size() != 1) return nullptr;
  if (path[0] == "plugin_name") return &config.name;
  if (path[0] == "plugin_root_id") return &config.root_id;
  if (path[0] == "plugin_vm_id") return &config.vm_id;
  return nullptr;
}

// A guest that asks for such a name was written for an older Envoy, or by its documentation: the answer that it gets is
// not the one that it would get elsewhere. Once a name in the process.
void tell_legacy(Vm& vm, const Context& context, uint32_t index) {
  Host::Impl& host = vm.host();
  const uint32_t bit = 1u << index;
  if ((host.legacy_properties_told.load(std::memory_order_relaxed) & bit) != 0 ||
      (host.legacy_properties_told.fetch_or(bit, std::memory_order_relaxed) & bit) != 0)
    return;
  const std::string name(kLegacyXds[index]);
  host.log(abi::LogLevel::kWarn,
           "plugin " + context.root->plugin().config().name + " asked for the property " + name +
               ", which Envoy has as xds." + name + " only since 1.33; " +
               (host.options.compat_legacy_properties ? "it was answered as by older Envoys"
                                                      : "--compat-legacy-properties answers it as older Envoys do"));
}

Status look_up(Vm& vm, Path& path, std::string& value) {
  Context& context = *vm.current();
  if (const std::string* text = plugin_property(context.root->plugin().config(), path)) {
    value = *text;
    return Status::kOk;
  }
  if (const auto legacy = std::find(kLegacyXds.begin(), kLegacyXds.end(), path[0]); legacy != kLegacyXds.end()) {
    tell_legacy(vm, context, static_cast<uint32_t>(legacy - kLegacyXds.begin()));
    if (vm.host().options.compat_legacy_properties) path.insert(path.begin(), "xds");
  }
  if (AttributeSource* source = context.attributes()) return source->get_property(path, value);
  if (context.flow() != nullptr) return Status::kNotFound;
  if (path[0] != "xds") return Status::kNotFound;
  if (vm.worker() != nullptr) return vm.worker()->services.get_property(path, value);
  const auto& canary = vm.host().options.root_property;
  return canary ? canary(path, value) : Status::kNotFound;
}

}  // namespace

Status proxy_get_property(Vm& vm, u32 path, u32 path_size, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto raw = vm.read(path, path_size);
  if (!raw) return Status::kInvalidMemoryAccess;
  if (raw->size() > limits::kPropertyPath) return Status::kBadArgument;
  if (raw->empty()) return Status::kSerializationFailure;  // nothing is no value, as Envoy has it
  Path parts = split(trim(*raw));
  std::string& value = vm.scratch_text();
  value.clear();
  const Status status = look_up(vm, parts, value);
  return status == Status::kOk ? vm.return_bytes(value, return_data, return_size) : status;
}

Status proxy_set_property(Vm& vm, u32 path, u32 path_size, u32 value, u32 value_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto raw = vm.read(path, path_size);
  const auto bytes = vm.read(value, value_size);
  if (!raw || !bytes) return Status::kInvalidMemoryAccess;
  AttributeSource* source = vm.current()->attributes();
  if (source == nullptr) return Status::kNotFound;
  if (raw->size() > limits::kPropertyPath) return Status::kBadArgument;
  const std::string_view name = trim(*raw);
  const Status status = source->set_property(name, *bytes, vm.current()->root->property_traits(name));
  return status == Status::kInternalFailure ? vm.over_limit(GuestLimit::kProperties) : status;
}

}  // namespace inlay::host::proxy
