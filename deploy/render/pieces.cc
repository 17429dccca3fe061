// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/pieces.h"

#include <set>

#include "deploy/render/forms.h"
#include "deploy/render/yaml_text.h"

namespace inlay::deploy {

namespace {

constexpr std::string_view kPolicyNames[] = {"FAIL_CLOSED", "FAIL_OPEN", "FAIL_RELOAD"};

// The lines of the variables with a value of their own.
std::string value_pairs(const Values& values) {
  std::string out;
  for (const Variable& variable : values.plugin.environment)
    if (variable.from == Variable::From::kValue)
      out += yaml_scalar(variable.name) + ": " + yaml_scalar(variable.value) + "\n";
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

std::string istio_cluster(std::string_view host, uint32_t port, std::string_view subset) {
  return "outbound|" + std::to_string(port) + "|" + std::string(subset) + "|" + std::string(host);
}

std::vector<std::string> host_variables(const Values& values) {
  std::vector<std::string> names;
  for (const Variable& variable : values.plugin.environment)
    if (variable.from != Variable::From::kValue) names.push_back(variable.name);
  return names;
}

Result<std::string> cluster_yaml(const ClusterSpec& cluster) {
  Context context;
  context.set("name", cluster.name)
      .set("type", is_ipv4(cluster.address) || !cluster.pipe.empty() ? "STATIC" : "STRICT_DNS")
      .flag("piped", !cluster.pipe.empty())
      .set("pipe", cluster.pipe)
      .set("address", cluster.address)
      .set("port", cluster.port)
      .set("host", cluster.host)
      .set("connect_timeout", cluster.tls ? "5s" : "1s")  // a handshake, and perhaps from afar
      .set("ca", cluster.ca)
      .flag("tls", cluster.tls)
      .flag("named", !is_ipv4(cluster.host))
      .flag("unnamed", is_ipv4(cluster.host));
  return fill_template("templates/cluster.yaml", context);
}

ClusterSpec module_cluster(const Values& values) {
  const HttpUrl url = split_http_url(values.module.location);
  return {values.name + "_module", url.host, url.host, url.port, url.tls, "Where the module is fetched from."};
}

Result<std::string> wasm_filter_yaml(const Values& values, const ClusterNames& names, const std::string& module_path) {
  const Plugin& plugin = values.plugin;
  Context context;
  context.set("name", plugin.name)
      .set("root_id", plugin.root_id)
      .set("vm_id", plugin.vm_id)
      .set("failure_policy", std::string(kPolicyNames[static_cast<size_t>(plugin.failure_policy)]));
  const ConfigurationText configuration = configuration_text(values, names);
  const bool stands = !configuration.text.empty();
  context.flag("json", stands && configuration.json).flag("text", stands && !configuration.json);
  context.set("json", configuration.text).set("text", configuration.text);
  const bool local = values.module.from == Module::From::kFile;
  context.flag("local", local).flag("remote", !local).set("filename", module_path);
  if (values.module.from == Module::From::kHttp)
    context.set("url", values.module.location)
        .set("cluster", module_cluster(values).name)
        .set("sha256", values.module.sha256);
  const std::vector<std::string> host = host_variables(values);
  const std::string pairs = value_pairs(values);
  context.flag("environment", !host.empty() || !pairs.empty())
      .flag("from_host", !host.empty())
      .flag("values", !pairs.empty())
      .set("keys", yaml_list(host))
      .set("pairs", pairs);
  return fill_template("templates/wasm_filter.yaml", context);
}

std::string labels_yaml(const Values& values) {
  std::string out;
  for (const auto& [key, value] : values.workload.labels) out += yaml_scalar(key) + ": " + yaml_scalar(value) + "\n";
  return out;
}

namespace {

std::string first_label(const std::string& host) {
  return host.substr(0, host.find('.'));
}

std::string resolved(const Values& values, const std::string& host, const BootstrapSpec& spec) {
  if (spec.standalone)
    for (const auto& [name, address] : values.resolve)
      if (name == host) return address;
  return host;
}

// A name for each destination: its first label where that is enough to tell it from the others.
std::vector<std::string> destination_names(const Values& values) {
  std::multiset<std::string> taken;
  for (const Service& service : values.services) taken.insert(service.name);
  for (const Destination& destination : values.destinations) taken.insert(first_label(destination.host));
  std::vector<std::string> names;
  for (const Destination& destination : values.destinations) {
    const std::string label = first_label(destination.host);
    names.push_back(taken.count(label) == 1 ? label : destination.host + ":" + std::to_string(destination.port));
  }
  return names;
}

ClusterNames standalone_names(const Values& values) {
  return {[](const Service& service) { return service.name; },
          [&values](const Destination& destination) {
            const auto at = static_cast<size_t>(&destination - values.destinations.data());
            return std::vector<std::string>{destination_names(values)[at]};
          }};
}

// The clusters that requests go to, each with a virtual host of the context.
std::vector<ClusterSpec> route_clusters(const Values& values, const BootstrapSpec& spec, Context& context) {
  std::vector<ClusterSpec> clusters;
  if (!values.outbound) {
    const std::string name = "inbound|" + std::to_string(values.workload.port) + "||";  // as Istio calls it
    context.add("routes").set("name", name).set("domains", "['*']");
    clusters.push_back({name, "", "127.0.0.1", values.workload.port, false, "The workload."});
    return clusters;
  }
  const std::vector<std::string> names = destination_names(values);
  std::set<std::string> hosts;
  for (size_t i = 0; i < values.destinations.size(); ++i) {
    const Destination& destination = values.destinations[i];
    std::vector<std::string> domains = {destination.host + ":" + std::to_string(destination.port)};
    // Without a port it is the first destination on that host; whatever is sent elsewhere is the first one's of all.
    if (hosts.insert(destination.host).second) domains.insert(domains.begin(), destination.host);
    if (i == 0) domains = {"*"};
    context.add("routes").set("name", names[i]).set("domains", yaml_list(domains));
    clusters.push_back({names[i], destination.host, resolved(values, destination.host, spec), destination.port, false,
                        "Where the workload's requests go."});
  }
  return clusters;
}

}  // namespace

Result<std::string> bootstrap_yaml(const Values& values, const BootstrapSpec& spec) {
  Context context;
  const std::vector<std::string> variables = host_variables(values);
  context.flag("standalone", spec.standalone).flag("variables", !variables.empty()).set("names", joined(variables));
  context.set("address", spec.address).set("port", values.envoy_port).set("admin_port", values.admin_port);
  context.set("direction", values.outbound ? "outbound" : "inbound");
  INLAY_TRY(std::string filter, wasm_filter_yaml(values, standalone_names(values), spec.module_path));
  context.set("filter", std::move(filter));
  std::vector<ClusterSpec> clusters = route_clusters(values, spec, context);
  for (const Service& service : values.services)
    clusters.push_back({service.name, service.host, resolved(values, service.host, spec), service.port, service.tls,
                        "What the plugin calls.", service.ca});
  if (values.module.from == Module::From::kHttp) clusters.push_back(module_cluster(values));
  for (const ClusterSpec& cluster : clusters) {
    INLAY_TRY(std::string text, cluster_yaml(cluster));
    context.add("clusters").set("what", cluster.what).set("cluster", std::move(text));
  }
  return fill_template("templates/envoy/envoy.yaml", context);
}

Error refused() {
  return {ErrorCode::kInvalidArgument, "the target cannot be made of these values", ""};
}

Result<Unit> check_standalone(const Values& values, config::Reporter& report) {
  bool good = true;
  const auto refuse = [&](Place place, std::string path, std::string message) {
    report.error(place, std::move(path), std::move(message));
    good = false;
  };
  if (values.module.from == Module::From::kOci)
    refuse(
        values.module.place, "module.oci",
        "Envoy itself cannot pull from an OCI registry, only Istio's agent can; for this target use `module.file` or "
        "`module.http`");
  std::vector<std::pair<uint32_t, std::string>> taken = {{values.envoy_port, "`envoy.port`"},
                                                         {values.admin_port, "`envoy.admin_port`"}};
  const auto take = [&](uint32_t port, Place place, const std::string& path) {
    for (const auto& [other, owner] : taken)
      if (other == port)
        refuse(place, path,
               std::to_string(port) + " is " + owner + ", too, and both are on 127.0.0.1; give one of them another");
    taken.emplace_back(port, "`" + path + "`");
  };
  for (size_t i = 0; i < values.services.size(); ++i) {
    const Service& service = values.services[i];
    const std::string path = "services[" + std::to_string(i) + "]";
    if (service.where == Service::Where::kSidecar) take(service.port, service.place, path + ".sidecar.port");
    if (service.where == Service::Where::kFiles)
      refuse(service.place, path + ".files",
             "it is the cluster that mounts them into a pod, and this target has none; "
             "docs/guide/workload_identity.md has a configuration for one machine");
    if (service.where == Service::Where::kWorkloadApi)
      refuse(service.place, path + ".workload_api",
             "is for a proxy of Istio's, which has a cluster for the socket; docs/guide/workload_identity.md has a "
             "configuration for one machine");
  }
  if (!values.outbound) take(values.workload.port, values.workload.port_place, "workload.port");
  return good ? Result<Unit>(Unit{}) : refused();
}

void note_authorities(Rendering& rendering, const Values& values) {
  for (const Service& service : values.services)
    if (service.tls && service.ca != kPublicAuthorities)
      rendering.notes.push_back("the proxy must find the authorities of " + service.host + " at " + service.ca);
}

void add_module(Rendering& rendering, const Values& values) {
  if (values.module.from == Module::From::kFile)
    rendering.files.push_back({values.module.name, values.module.bytes, true});
}

}  // namespace inlay::deploy
