// SPDX-License-Identifier: Apache-2.0
// What istiod has to know before it makes a listener that a plugin can stand in: missing-service,
// missing-service-entry, port-name.
#include <algorithm>

#include "deploy/check/check_resources.h"
#include "deploy/check/workloads.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::quote;

namespace {

// Whether a Service leads to `port` of its pods. One that names the port is believed.
bool leads_to(const Source* port, uint32_t wanted) {
  const std::string target = text_at(port, {"targetPort"});
  if (target.empty()) return number_at(port, {"port"}) == wanted;
  const auto number = document::parse_uint(target);
  return !number || *number == wanted;
}

std::vector<const Resource*> services_before(const Subject& subject, const PluginUse& plugin, const Labels& labels) {
  std::vector<const Resource*> found;
  for (const Resource* service : subject.manifests.of_kind("Service"))
    if (service->name_space == plugin.name_space &&
        selects(labels_at(service->source.get(), {"spec", "selector"}), labels))
      found.push_back(service);
  return found;
}

// The protocol that istiod reads off a Service's port; "" where it has to find out by itself.
std::string protocol_of(const Source* port) {
  std::string said = text_at(port, {"appProtocol"});
  if (said.empty()) {
    said = text_at(port, {"name"});
    said = said.substr(0, said.find('-'));
  }
  constexpr std::string_view kNone[] = {"tcp", "udp", "tls", "https", "mongo", "mysql", "redis"};
  return std::find(std::begin(kNone), std::end(kNone), said) == std::end(kNone) ? "" : said;
}

void check_protocol(const Resource& service, const Source* port, Findings& findings) {
  const std::string protocol = protocol_of(port);
  if (protocol.empty()) return;
  findings.add(
      Severity::kError, "port-name", service.site_of(port),
      "port " + text_at(port, {"port"}) + " of the Service " + quote(service.name) + " is " + quote(protocol) +
          " to istiod, so that its requests do not pass the plugin",
      "the port's name, or its appProtocol, says what its protocol is, and a filter of HTTP stands in HTTP alone",
      "let the name begin with `http` or `grpc`, or leave it out; with `tls` the application encrypts by itself: have "
      "it "
      "send plain text and the sidecar encrypt");
}

void check_inbound_port(const Subject& subject, const PluginUse& plugin, uint32_t port, Findings& findings) {
  const auto pods = pods_of(subject.manifests, plugin);
  const Labels& labels = pods.empty() ? plugin.selector : pods[0].labels;
  bool leads = false;
  for (const Resource* service : services_before(subject, plugin, labels))
    for (const Source* one : items_at(service->source.get(), {"spec", "ports"})) {
      if (!leads_to(one, port)) continue;
      leads = true;
      check_protocol(*service, one, findings);
    }
  if (leads) return;
  findings.add(pods.empty() ? Severity::kWarning : Severity::kError, "missing-service", plugin.site(),
               "no Service here selects the pods of " + plugin.shown() + " and has " + std::to_string(port) +
                   " as its targetPort: without one their inbound requests pass no plugin, and nothing says so",
               "istiod makes inbound listeners for what Services lead to",
               "add a Service with these labels as its selector and targetPort: " + std::to_string(port) +
                   ", or see that there is one in the cluster");
}

bool names_host(const Resource& entry, const std::string& host) {
  for (const Source* name : items_at(entry.source.get(), {"spec", "hosts"}))
    if (name->text == host || (name->text.starts_with("*") && host.ends_with(name->text.substr(1)))) return true;
  return false;
}

void check_entry_of(const Subject& subject, const PluginUse& plugin, const ClusterName& destination,
                    Findings& findings) {
  for (const Resource* entry : subject.manifests.of_kind("ServiceEntry")) {
    if (!names_host(*entry, destination.host)) continue;
    for (const Source* port : items_at(entry->source.get(), {"spec", "ports"})) {
      if (number_at(port, {"number"}) != destination.port) continue;
      const std::string protocol = text_at(port, {"protocol"});
      if (protocol.empty() || protocol.starts_with("HTTP") || protocol.starts_with("GRPC")) {
        if (protocol != "HTTPS") return;
      }
      findings.add(
          Severity::kError, "port-name", entry->site_of(port),
          "port " + std::to_string(destination.port) + " of the ServiceEntry " + quote(entry->name) + " is " +
              quote(protocol) + ", so that requests to " + destination.host + " do not pass the plugin",
          "a filter of HTTP stands in HTTP alone",
          "say protocol: HTTP, have the workload send plain text, and let a DestinationRule with TLS encrypt it");
      return;
    }
  }
  findings.add(
      Severity::kError, "missing-service-entry", plugin.site(),
      destination.host + ":" + std::to_string(destination.port) +
          " is outside of the mesh, and no ServiceEntry here has it: its requests get no headers, and nothing says so",
      "istiod makes outbound listeners for the ports that it knows",
      "add a ServiceEntry with this host and port, protocol: HTTP; `inlay deploy render istio` makes one");
}

}  // namespace

void check_services(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins)
    if (plugin.inbound && !plugin.target_refs)
      for (uint32_t port : plugin.ports) check_inbound_port(subject, plugin, port, findings);
}

void check_service_entries(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    if (!plugin.outbound || plugin.way == PluginUse::Way::kExtensionPolicy) continue;
    for (const ClusterName& destination : destinations_of(plugin, subject.values))
      if (!is_service_host(destination.host)) check_entry_of(subject, plugin, destination, findings);
  }
}

// Of the Services that stand for destinations; those before the workload are check_services()'s.
void check_port_names(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    if (!plugin.outbound || plugin.way == PluginUse::Way::kExtensionPolicy) continue;
    for (const ClusterName& destination : destinations_of(plugin, subject.values))
      for (const Resource* service : subject.manifests.of_kind("Service"))
        for (const Source* port : items_at(service->source.get(), {"spec", "ports"}))
          if (service->name + "." + service->name_space + ".svc.cluster.local" == destination.host &&
              number_at(port, {"port"}) == destination.port)
            check_protocol(*service, port, findings);
  }
}

}  // namespace inlay::deploy
