// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values: what one values file says, checked. Plain data that owns all that it shows; what was left out has its
// default. docs/reference/deploy_values.md has every key, made from the schema that the checks are made from.
//
//     Diagnostics diagnostics;
//     auto values = read_values("values.yaml", diagnostics);
//     std::cerr << diagnostics.to_string();
//     if (!values) return 1;
//
// One run reports every error of the file, each with file:line:column, the key's path, what was found and what would be
// right. Secrets are referenced by a values file, never part of it: a literal that looks like one is refused.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/tree.h"

namespace inlay::deploy {

using document::Diagnostics;
using document::Place;

// Module is where the WebAssembly module comes from: the key `module`. `from` says which members are set.
struct Module {
  enum class From : uint8_t { kFile, kOci, kHttp } from = From::kFile;
  std::string location;     // the file's path as the process can open it, or the URL
  std::string name;         // kFile: the file's name without folders
  std::string sha256;       // of the bytes; kOci: of the manifest, out of the URL
  std::string bytes;        // kFile
  std::string pull_secret;  // kOci
  Place place;
};

// Variable is an environment variable: with its value, with that of a Kubernetes secret's key, or, of a plugin, with
// that of the proxy's variable of the same name.
struct Variable {
  enum class From : uint8_t { kValue, kSecret, kProxy } from = From::kValue;
  std::string name;
  std::string value;        // kValue
  std::string secret_name;  // kSecret
  std::string secret_key;
};

enum class FailurePolicy : uint8_t { kFailClosed, kFailOpen, kFailReload };

// Plugin: the key `plugin`, as the proxy's configuration will have it.
struct Plugin {
  std::string name;
  std::string root_id;
  std::string vm_id;
  FailurePolicy failure_policy = FailurePolicy::kFailClosed;
  std::shared_ptr<const document::Source> configuration;  // checked; nullptr: none
  std::vector<Variable> environment;
};

// Container is what runs in a pod, or as a service of Compose.
struct Container {
  std::string image;  // empty: none is rendered
  std::vector<Variable> environment;
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::string ready;  // path; empty: the port alone
};

// Where Debian, Alpine and Envoy's image have the public authorities.
inline constexpr std::string_view kPublicAuthorities = "/etc/ssl/certs/ca-certificates.crt";

// MountedFile is a file of the proxy's container: a token of the pod's service account, or a key of a Secret.
struct MountedFile {
  std::string name;         // the plugin asks for /NAME
  std::string audience;     // of the token; empty: it is a Secret's
  uint32_t seconds = 3600;  // for which the token is good; the cluster writes another before
  std::string secret_name;
  std::string secret_key;
};

// Service is what the plugin calls: beside the proxy, in the mesh, outside, or the proxy itself, which answers with
// files, or the socket that gives the proxy its identity.
struct Service {
  enum class Where : uint8_t { kSidecar, kMesh, kOutside, kFiles, kWorkloadApi } where = Where::kSidecar;
  std::string name;
  std::string host;       // 127.0.0.1 for a sidecar
  std::string mesh_host;  // kMesh: as the mesh names it, in full
  uint32_t port = 0;
  bool tls = false;
  std::string ca = std::string(kPublicAuthorities);  // with TLS
  std::vector<MountedFile> files;                    // kFiles
  std::string injection;                             // kWorkloadApi: the template of Istio's injector that mounts it
  Container container;
  Place place;  // of its port, or of itself
};

// Workload is the application whose traffic the plugin sees.
struct Workload {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  Container container;
  uint32_t port = 0;     // 0: it does not serve
  bool service = false;  // render a Service for it
  uint32_t user = 0;
  std::string cpu;
  std::string memory;
  Place port_place;
};

// Destination is a host that the workload calls.
struct Destination {
  std::string host;
  std::string mesh_host;  // as the mesh names it, in full
  uint32_t port = 0;
  std::vector<std::string> subsets;  // of an Istio DestinationRule
  Container container;
};

// From this version on Istio has TrafficExtension: 1.30.
inline constexpr uint32_t kTrafficExtensionMinor = 30;

// ProxyKind: whose proxy runs the plugin in the target istio.
enum class ProxyKind : uint8_t { kSidecar, kGateway, kWaypoint };

// Attachment: the Istio resource by which the plugin comes into the proxy.
enum class Attachment : uint8_t { kEnvoyFilter, kWasmPlugin, kTrafficExtension };

// Values: of one file.
struct Values {
  std::string name;
  std::string name_space;
  Module module;
  Plugin plugin;
  std::vector<Service> services;
  Workload workload;
  bool outbound = true;
  std::vector<Destination> destinations;  // of outbound traffic, at least one

  std::string envoy_image;
  uint32_t envoy_port = 0;
  uint32_t admin_port = 0;
  std::vector<std::pair<std::string, std::string>> resolve;  // host to address

  uint32_t istio_minor = kTrafficExtensionMinor;  // of the oldest Istio that must take it
  ProxyKind proxy = ProxyKind::kSidecar;
  Attachment attach = Attachment::kTrafficExtension;
  Place attach_place;
  std::vector<std::string> egress;
  bool sidecar = true;
  bool service_entry = true;  // for destinations outside of the mesh

  std::string gateway;              // of Envoy Gateway: the Gateway's name; empty: nothing is said
  std::vector<std::string> routes;  // its HTTPRoutes whose requests pass the plugin

  bool component = false;  // the folders are kustomize's Components, which others include

  std::string file;  // the values file's name, for messages
};

// read_values: reads, checks and completes. Reads the module, too, when it is a file; touches nothing else. The error
// is kInvalidArgument (kIo when the file cannot be read) and counts the diagnostics, which hold the details; warnings
// are there on success too.
Result<Values> read_values(const std::string& path, Diagnostics& diagnostics);
// read_values_text: the same of a text. `name` is for messages, `folder` is what module.file is relative to.
Result<Values> read_values_text(std::string_view text, const std::string& name, const std::string& folder,
                                Diagnostics& diagnostics);

}  // namespace inlay::deploy
