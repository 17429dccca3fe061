// SPDX-License-Identifier: Apache-2.0
#pragma once

// PluginUse: a Wasm plugin as a resource brings it into a proxy, whichever kind of resource that is: EnvoyFilter,
// WasmPlugin, TrafficExtension, or Envoy Gateway's EnvoyExtensionPolicy. It points into the manifests that it was found
// in.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "deploy/check/manifests.h"

namespace inlay::deploy {

struct PluginUse {
  enum class Way : uint8_t { kEnvoyFilter, kWasmPlugin, kTrafficExtension, kExtensionPolicy } way = Way::kEnvoyFilter;
  const Resource* resource = nullptr;
  const Source* place = nullptr;  // the part of the resource that is the plugin

  std::string name;        // as logs name it
  std::string name_space;  // of the resource
  Labels selector;         // of its pods; empty: all of the namespace, or what target_refs names
  bool target_refs = false;
  bool outbound = false;  // which requests pass it; both where nothing is said
  bool inbound = false;
  std::vector<uint32_t> ports;  // none: all

  std::string root_id;
  std::string vm_id;  // "" with all but an EnvoyFilter
  std::string policy = "FAIL_CLOSED";
  const Source* fail_open = nullptr;  // the old field, where it is set
  std::string url;                    // file://, oci://, http(s)://; "" where the code stands in the resource
  std::string sha256;
  const Source* runtime_limits = nullptr;  // capability_restriction_config

  std::string configuration_text;               // as the plugin gets it, "" where it has none
  std::shared_ptr<const Source> configuration;  // the same as a tree, where it is JSON

  Site site() const { return resource->site_of(place); }
  // "the WasmPlugin `tokens`"
  std::string shown() const;
  // Whether its configuration has the header-augmenting filter's keys, so that what it adds may be a credential.
  bool gives_headers() const;
};

// In the order of the resources.
std::vector<PluginUse> find_plugins(const Manifests& manifests);

// The clusters to which requests get headers by the rules of a header-augmenting filter. `all`: to any cluster, since
// it has no rules, or one that gives headers and names no cluster.
struct Reach {
  bool all = false;
  std::vector<std::string> clusters;
};
Reach reach_of(const PluginUse& plugin);

}  // namespace inlay::deploy
