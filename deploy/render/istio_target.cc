// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "deploy/render/istio.h"
#include "deploy/render/kubernetes.h"
#include "deploy/render/rules.h"
#include "deploy/render/yaml_text.h"
#include "document/scalars.h"

namespace inlay::deploy {

std::string istio_cluster_name(const Service& service) {
  if (service.where == Service::Where::kWorkloadApi) return "sds-grpc";  // of the bootstrap of each of Istio's proxies
  return service.where == Service::Where::kMesh ? istio_cluster(service.mesh_host, service.port) : service.name;
}

std::vector<std::string> istio_destination_clusters(const Destination& destination, ProxyKind proxy) {
  if (proxy == ProxyKind::kWaypoint) {
    const auto name = [&](const std::string& subset) {
      return "inbound-vip|" + std::to_string(destination.port) + "|http" + subset + "|" + destination.mesh_host;
    };
    std::vector<std::string> names = {name("")};
    for (const std::string& subset : destination.subsets) names.push_back(name("/" + subset));
    return names;
  }
  std::vector<std::string> names = {istio_cluster(destination.mesh_host, destination.port)};
  for (const std::string& subset : destination.subsets)
    names.push_back(istio_cluster(destination.mesh_host, destination.port, subset));
  return names;
}

ClusterNames istio_names(ProxyKind proxy) {
  return {istio_cluster_name,
          [proxy](const Destination& destination) { return istio_destination_clusters(destination, proxy); }};
}

std::vector<ClusterSpec> added_clusters(const Values& values) {
  std::vector<ClusterSpec> clusters;
  for (const Service& service : values.services) {
    if (service.where == Service::Where::kMesh || service.where == Service::Where::kWorkloadApi) continue;
    if (service.where == Service::Where::kFiles) {
      ClusterSpec files = {
          service.name, "", "", 0, false, "Files of the proxy's container, which the listener below answers with."};
      files.pipe = files_socket(service);
      clusters.push_back(std::move(files));
      continue;
    }
    const bool sidecar = service.where == Service::Where::kSidecar;
    clusters.push_back({service.name, service.host, service.host, service.port, service.tls,
                        sidecar ? "What the plugin calls, in the same pod: istiod has no cluster for it."
                                : "What the plugin calls, outside of the mesh.",
                        service.ca});
  }
  if (values.module.from == Module::From::kHttp && values.attach == Attachment::kEnvoyFilter)
    clusters.push_back(module_cluster(values));
  return clusters;
}

std::vector<uint32_t> traffic_ports(const Values& values) {
  if (!values.outbound) return {values.workload.port};
  std::vector<uint32_t> ports;
  for (const Destination& destination : values.destinations)
    if (std::find(ports.begin(), ports.end(), destination.port) == ports.end()) ports.push_back(destination.port);
  return ports;
}

namespace {

// A host of the mesh as a Sidecar names it: shop/payments.shop.svc.cluster.local.
std::string egress_host(const std::string& host) {
  const size_t name_end = host.find('.');
  const size_t space_end = name_end == std::string::npos ? name_end : host.find('.', name_end + 1);
  if (space_end != std::string::npos && host.substr(space_end).starts_with(".svc."))
    return host.substr(name_end + 1, space_end - name_end - 1) + "/" + host;
  return "*/" + host;
}

std::vector<std::string> egress_hosts(const Values& values) {
  std::vector<std::string> hosts;
  const auto add = [&](std::string host) {
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(std::move(host));
  };
  for (const Destination& destination : values.destinations) add(egress_host(destination.mesh_host));
  for (const Service& service : values.services)
    if (service.where == Service::Where::kMesh) add(egress_host(service.mesh_host));
  for (const std::string& host : values.egress) add(host);
  return hosts;
}

Result<Unit> check_istio(const Values& values, config::Reporter& report) {
  if (values.attach == Attachment::kEnvoyFilter) return Unit{};
  const auto& configuration = values.plugin.configuration;
  if (configuration == nullptr || configuration->kind == document::Source::Kind::kMap) return Unit{};
  report.error(configuration->place, "plugin.configuration",
               "WasmPlugin and TrafficExtension take a map only; for a text set `istio.attach: EnvoyFilter`");
  return refused();
}

class Istio {
 public:
  explicit Istio(const Values& values) : values_(values) {
    context_.set("name", values.name).set("namespace", values.name_space).set("labels", labels_yaml(values));
    context_.set("mode", values.outbound ? "CLIENT" : "SERVER").set("waypoint", values.workload.name);
    context_.flag("component", values_.component);
    context_.flag("by_reference", values.proxy == ProxyKind::kWaypoint);
    // The ports of a gateway's or a waypoint's listeners are not those of the destinations; rules keep to these.
    context_.flag("by_port", values.proxy == ProxyKind::kSidecar);
    for (uint32_t port : traffic_ports(values)) context_.add("ports").set("port", port);
  }

  Result<Rendering> render() {
    const std::vector<ClusterSpec> clusters = added_clusters(values_);
    const bool filter = values_.attach == Attachment::kEnvoyFilter;
    if (filter || !clusters.empty()) {
      INLAY_RETURN_IF_ERROR(envoy_filter(clusters, filter));
    }
    if (!filter) {
      INLAY_RETURN_IF_ERROR(wasm_resource());
    }
    if (values_.service_entry && !outside().empty()) {
      INLAY_RETURN_IF_ERROR(service_entry());
    }
    if (values_.sidecar) {
      for (const std::string& host : egress_hosts(values_)) context_.add("hosts").set("host", host);
      INLAY_RETURN_IF_ERROR(add("sidecar.yaml", "sidecar"));
    }
    std::vector<std::string> resources;
    for (const File& file : rendering_.files) resources.push_back(file.name);
    context_.set("resources", yaml_list(resources));
    INLAY_RETURN_IF_ERROR(add("kustomization.yaml", "kustomization"));
    std::rotate(rendering_.files.begin(), rendering_.files.end() - 1, rendering_.files.end());
    if (values_.module.from == Module::From::kFile)
      rendering_.notes.push_back("the proxy must find the module at " + mounted_module(values_) +
                                 ": apply the target kubernetes first");
    note_authorities(rendering_, values_);
    notes();
    return std::move(rendering_);
  }

 private:
  // What the mesh does differently than one might think.
  void notes() {
    for (const Service& service : values_.services) {
      if (service.where == Service::Where::kFiles)
        rendering_.notes.push_back("the proxy must find its files below " + files_folder(service) +
                                   ": apply the target kubernetes first");
      if (service.where == Service::Where::kWorkloadApi)
        rendering_.notes.push_back(
            "the socket of `sds-grpc` must be that of SPIRE's agent: Istio's injection template " +
            document::quote(service.injection) +
            " mounts it; without it it is that of Istio's own agent, which gives no JWT-SVID");
    }
    if (!values_.outbound && !values_.workload.service)
      rendering_.notes.push_back("inbound requests pass the plugin only where a Service selects the pods and has " +
                                 std::to_string(values_.workload.port) +
                                 " as its targetPort, with a port whose name begins with `http`, or without one");
    if (values_.attach != Attachment::kEnvoyFilter)
      rendering_.notes.push_back(
          "WasmPlugin and TrafficExtension have no vm_id, and " + document::quote(values_.plugin.vm_id) +
          " is dropped: each plugin of that proxy without one, whoever applied it, can read what this one shares among "
          "workers, such as tokens; `istio.attach: EnvoyFilter` keeps them apart");
    if (!values_.outbound) return;
    if (!takes_rules(values_))
      rendering_.notes.push_back(
          "the plugin gets each request to a port of `traffic.destinations`, whatever its host: only the "
          "header-augmenting "
          "filter has rules that keep to the destinations");
    for (const Destination* destination : outside())
      rendering_.notes.push_back(
          values_.service_entry
              ? destination->host +
                    " is no service of the cluster: the ServiceEntry makes it one of protocol HTTP on port " +
                    std::to_string(destination->port) + ", by DNS; requests that are TLS already do not pass the plugin"
              : destination->host +
                    " is no service of the cluster: without a ServiceEntry for it and its port, of protocol HTTP, its "
                    "requests do not pass the plugin");
  }

  // The destinations that istiod knows from no Service.
  std::vector<const Destination*> outside() const {
    std::vector<const Destination*> found;
    for (const Destination& destination : values_.destinations)
      if (destination.mesh_host.find(".svc.") == std::string::npos) found.push_back(&destination);
    return found;
  }

  // One a host, with all its ports: two of one host in a namespace would be one too many.
  Result<Unit> service_entry() {
    std::vector<std::string> hosts;
    for (const Destination* destination : outside())
      if (std::find(hosts.begin(), hosts.end(), destination->host) == hosts.end()) hosts.push_back(destination->host);
    for (size_t i = 0; i < hosts.size(); ++i) {
      Context& entry = context_.add("entries");
      entry.flag("another", i != 0).set("host", hosts[i]);
      entry.set("entry", values_.name + (i == 0 ? "" : "-" + std::to_string(i + 1)));
      for (const Destination* destination : outside())
        if (destination->host == hosts[i]) entry.add("ports").set("port", destination->port);
    }
    return add("service-entry.yaml", "service_entry");
  }

  Result<Unit> add(const std::string& file, const std::string& name) {
    INLAY_TRY(std::string text, fill_template("templates/istio/" + name + ".yaml", context_));
    rendering_.files.push_back({file, std::move(text)});
    return Unit{};
  }

  Result<Unit> envoy_filter(const std::vector<ClusterSpec>& clusters, bool with_plugin) {
    context_.flag("clusters", false).flag("patches", false);
    for (const ClusterSpec& cluster : clusters) {
      INLAY_TRY(std::string text, cluster_yaml(cluster));
      constexpr std::string_view kContexts[] = {"SIDECAR_OUTBOUND", "GATEWAY", "SIDECAR_INBOUND"};
      context_.add("clusters")
          .set("what", cluster.what)
          .set("context", std::string(kContexts[static_cast<size_t>(values_.proxy)]))
          .set("cluster", std::move(text));
    }
    if (with_plugin) {
      INLAY_TRY(const std::string filter,
                wasm_filter_yaml(values_, istio_names(values_.proxy), mounted_module(values_)));
      if (values_.proxy == ProxyKind::kGateway) {
        context_.add("patches")
            .set("what", "All requests that go through it.")
            .set("context", "GATEWAY")
            .set("filter", filter);
        context_.flag("patch_by_port", false);
      } else {
        context_.flag("patch_by_port", true);
        for (uint32_t port : traffic_ports(values_))
          context_.add("patches")
              .set("what", std::string(values_.outbound ? "Requests to port " : "Requests that come in on port ") +
                               std::to_string(port) + ".")
              .set("context", values_.outbound ? "SIDECAR_OUTBOUND" : "SIDECAR_INBOUND")
              .set("port", port)
              .set("filter", filter);
      }
    }
    INLAY_RETURN_IF_ERROR(files_listeners());
    return add("envoy-filter.yaml", "envoy_filter");
  }

  // Envoy follows a file by the mount that it stands in, and reads none without.
  Result<Unit> files_listeners() {
    context_.flag("listeners", false);
    for (const Service& service : values_.services) {
      if (service.where != Service::Where::kFiles) continue;
      Context listener;
      listener.set("name", service.name).set("socket", files_socket(service)).set("folder", files_folder(service));
      for (const MountedFile& file : service.files)
        listener.add("files").set("path", "/" + file.name).set("file", files_folder(service) + "/" + file.name);
      INLAY_TRY(std::string text, fill_template("templates/istio/files_listener.yaml", listener));
      context_.add("listeners").set("listener", std::move(text));
    }
    return Unit{};
  }

  Result<Unit> wasm_resource() {
    constexpr std::string_view kStrategies[] = {"FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"};
    const Module& module = values_.module;
    const bool file = module.from == Module::From::kFile;
    Context context;
    context.set("url", file ? "file://" + mounted_module(values_) : module.location)
        .set("root_id", values_.plugin.root_id)
        .set("fail_strategy", std::string(kStrategies[static_cast<size_t>(values_.plugin.failure_policy)]));
    context.flag("oci", module.from == Module::From::kOci).flag("pull", !file);
    context.flag("sha256", module.from == Module::From::kHttp).set("sha256", module.sha256);
    context.flag("pull_secret", !module.pull_secret.empty()).set("pull_secret", module.pull_secret);
    context.flag("environment", !values_.plugin.environment.empty());
    for (const Variable& variable : values_.plugin.environment)
      context.add("variables")
          .flag("from_host", variable.from != Variable::From::kValue)
          .set("variable", variable.name)
          .set("value", variable.value);
    const std::string yaml = configuration_yaml(values_, istio_names(values_.proxy));
    context.flag("configuration", !yaml.empty()).set("yaml", yaml);
    INLAY_TRY(std::string wasm, fill_template("templates/istio/wasm.yaml", context));
    context_.set("wasm", std::move(wasm));
    return values_.attach == Attachment::kWasmPlugin ? add("wasm-plugin.yaml", "wasm_plugin")
                                                     : add("traffic-extension.yaml", "traffic_extension");
  }

  const Values& values_;
  Context context_;
  Rendering rendering_;
};

}  // namespace

Result<Rendering> render_istio(const Values& values, config::Reporter& report) {
  INLAY_RETURN_IF_ERROR(check_istio(values, report));
  return Istio(values).render();
}

}  // namespace inlay::deploy
