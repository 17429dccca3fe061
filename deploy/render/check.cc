// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/check.h"

#include <algorithm>
#include <set>
#include <string>

#include "config/load.h"
#include "config/scalar_check.h"
#include "deploy/render/crd_schema.h"
#include "deploy/render/istio.h"
#include "deploy/render/istio_merge.h"
#include "deploy/render/kubernetes.h"
#include "deploy/render/placeholders.h"
#include "deploy/render/rules.h"
#include "deploy/render/yaml_text.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::Diagnostic;
using document::Source;

namespace {

// How the loader says that the fault is its own, not the file's (config/support.cc).
constexpr std::string_view kNotYet = "Inlay does not support it yet";

// Where a sidecar's outbound listener sends what is for a host that the mesh does not know.
constexpr std::string_view kPassthrough = "PassthroughCluster";

Error defect(const std::string& file, const std::string& what) {
  return {ErrorCode::kInternal, "what was rendered is not right: " + what, file};
}

std::shared_ptr<const Source> parse(const File& file, Diagnostics& diagnostics) {
  return document::parse_source(file.content, false, file.name, diagnostics);
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

class Check {
 public:
  explicit Check(const Values& values) : values_(values) {}

  // `text` is a bootstrap that finds the module at `module_path`.
  Result<Unit> bootstrap(const std::string& file, std::string text, const std::string& module_path) {
    // The proxy's path to the module is not this machine's.
    const bool local = values_.module.from == Module::From::kFile;
    if (local) {
      replace_all(text, "{filename: " + yaml_scalar(module_path) + "}",
                  "{filename: " + yaml_scalar(values_.module.location) + "}");
      replace_all(text, R"({"filename":)" + document::json_string(module_path) + "}",
                  R"({"filename":)" + document::json_string(values_.module.location) + "}");
    }
    // Nor are its certificates.
    std::set<std::string> authorities = {std::string(kPublicAuthorities)};
    for (const Service& service : values_.services) authorities.insert(service.ca);
    for (const std::string& ca : authorities) {
      replace_all(text, "trusted_ca: {filename: " + yaml_scalar(ca) + "}", "system_root_certs: {}");
      replace_all(text, R"("trusted_ca":{"filename":)" + document::json_string(ca) + "}", R"("system_root_certs":{})");
    }
    // Nor are the files that it answers with.
    for (const Service& service : values_.services)
      for (const MountedFile& mounted : service.files)
        replace_all(text,
                    R"({"filename":)" + document::json_string(files_folder(service) + "/" + mounted.name) +
                        R"(,"watched_directory":{"path":)" + document::json_string(files_folder(service)) + "}}",
                    R"({"inline_string":"a stand-in"})");
    config::LoadOptions options;
    options.environment = [](const std::string&) { return std::optional<std::string>("a-stand-in"); };
    Diagnostics diagnostics;
    auto loaded = config::load_text(text, file, options, diagnostics);
    if (!loaded) return unsupported_or_wrong(file, diagnostics);
    if (!local) return clusters(file, loaded_clusters(*loaded));
    checked_.bootstrap = *std::move(loaded);
    return clusters(file, loaded_clusters(*checked_.bootstrap));
  }

  Result<Unit> custom_resource(const File& file, const Source& source) {
    const std::vector<std::string> faults = check_custom_resource(source);
    return faults.empty() ? Result<Unit>(Unit{}) : defect(file.name, faults[0]);
  }

  Result<Unit> istio(const Rendering& rendering);

  // Envoy Gateway makes of it what Envoy gets, so that the schemas are all that can be looked at.
  Result<Unit> gateway(const Rendering& rendering) {
    for (const File& file : rendering.files) {
      if (file.name == "kustomization.yaml") continue;
      Diagnostics diagnostics;
      const auto source = parse(file, diagnostics);
      if (source == nullptr) return defect(file.name, diagnostics.to_string());
      INLAY_RETURN_IF_ERROR(custom_resource(file, *source));
    }
    return Unit{};
  }

  Checked take() { return std::move(checked_); }

  // The names that the target has for services.
  std::function<std::string(const Service&)> cluster_name = [](const Service& service) { return service.name; };

 private:
  Result<Unit> unsupported_or_wrong(const std::string& file, const Diagnostics& diagnostics) {
    for (const Diagnostic& diagnostic : diagnostics.list()) {
      if (diagnostic.severity != Diagnostic::Severity::kError) continue;
      if (diagnostic.message.find(kNotYet) == std::string::npos) return defect(file, diagnostic.to_string());
      checked_.notes.push_back("for Envoy only; `inlay run` refuses it: " + diagnostic.path + ": " +
                               diagnostic.message);
    }
    return Unit{};
  }

  static std::vector<std::string> loaded_clusters(const config::Bootstrap& bootstrap) {
    std::vector<std::string> names;
    for (const config::Cluster& cluster : bootstrap.clusters) names.push_back(cluster.name);
    return names;
  }

  // Each cluster that the configuration names must be there: a call to one that is missing fails at run time only.
  Result<Unit> clusters(const std::string& file, const std::vector<std::string>& known) const {
    const ConfigurationText configuration =
        configuration_text(values_, {[](const Service& service) { return "${cluster:" + service.name + "}"; },
                                     [](const Destination& /*any*/) { return std::vector<std::string>(); }});
    for (const Placeholder& placeholder : find_placeholders(configuration.text)) {
      if (placeholder.kind != Placeholder::Kind::kCluster) continue;
      for (const Service& service : values_.services)
        if (service.name == placeholder.name &&
            std::find(known.begin(), known.end(), cluster_name(service)) == known.end())
          return defect(file, "the plugin calls the cluster " + cluster_name(service) + ", which is not there");
    }
    return Unit{};
  }

  Result<std::string> sample_sidecar(const Source* sidecar) const;
  Result<Unit> headers_go_to_destinations(const std::string& merged) const;
  bool reaches(const Source* sidecar, const std::string& host) const;

  const Values& values_;
  Checked checked_;
};

// Whether a Sidecar lets the workload's proxy know a host. It is NAMESPACE/HOST, and each part can be `*`.
bool Check::reaches(const Source* sidecar, const std::string& host) const {
  if (sidecar == nullptr) return true;
  for (const auto& egress : sidecar->find("spec")->find("egress")->items)
    for (const auto& entry : egress->find("hosts")->items) {
      const std::string name = entry->text.substr(entry->text.find('/') + 1);
      if (name == host || (name == "*" && entry->text.substr(0, entry->text.find('/')) == "*")) return true;
    }
  return false;
}

// The configuration of the workload's proxy before the resources meet it.
Result<std::string> Check::sample_sidecar(const Source* sidecar) const {
  Context context;
  context.flag("listeners", false).flag("clusters", false);
  const auto add_cluster = [&](const std::string& name, uint32_t port) {
    context.add("clusters").set("name", name).set("port", port);
  };
  const std::string inbound = "inbound|" + std::to_string(values_.workload.port) + "||";
  if (values_.workload.port != 0) {
    context.add("listeners")
        .set("name", "virtualInbound")
        .set("direction", "INBOUND")
        .set("address", "127.0.0.6")
        .set("port", values_.workload.port)
        .add("routes")
        .set("domains", "['*']")
        .set("cluster", inbound);
    add_cluster(inbound, values_.workload.port);
  }
  std::vector<std::string> names;
  if (values_.outbound) {
    add_cluster(std::string(kPassthrough), 1);
    for (uint32_t port : traffic_ports(values_)) {
      Context& listener = context.add("listeners");
      listener.set("name", "0.0.0.0_" + std::to_string(port))
          .set("direction", "OUTBOUND")
          .set("address", "0.0.0.0")
          .set("port", port);
      for (const Destination& destination : values_.destinations) {
        if (destination.port != port || !reaches(sidecar, destination.mesh_host)) continue;
        for (const std::string& name : istio_destination_clusters(destination, values_.proxy)) {
          add_cluster(name, port);
          names.push_back(name);
          listener.add("routes").set("domains", yaml_list({name + ".example"})).set("cluster", name);
        }
      }
      const std::string stranger = istio_cluster("stranger." + values_.name_space + ".svc.cluster.local", port);
      if (std::find(names.begin(), names.end(), stranger) == names.end()) {
        add_cluster(stranger, port);
        names.push_back(stranger);
        listener.add("routes").set("domains", yaml_list({"stranger.example"})).set("cluster", stranger);
      }
      listener.add("routes").set("domains", "['*']").set("cluster", std::string(kPassthrough));
    }
  }
  for (const Service& service : values_.services) {
    const std::string name = istio_cluster_name(service);
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (service.where == Service::Where::kMesh && !known && reaches(sidecar, service.mesh_host)) {
      add_cluster(name, service.port);
      names.push_back(name);
    }
    // Of the proxy's bootstrap.
    if (service.where == Service::Where::kWorkloadApi && !known) {
      add_cluster(name, 1);
      names.push_back(name);
    }
  }
  return fill_template("templates/istio/sample_sidecar.yaml", context);
}

// Of what the listeners lead to, only destinations can get headers.
Result<Unit> Check::headers_go_to_destinations(const std::string& merged) const {
  if (!values_.outbound || !takes_rules(values_)) return Unit{};
  std::set<std::string> destinations;
  for (const Destination& destination : values_.destinations)
    for (std::string& name : istio_destination_clusters(destination, values_.proxy))
      destinations.insert(std::move(name));
  for (const PassedRoute& route : passed_routes(merged))
    if (destinations.count(route.cluster) == 0 && can_augment(route.configuration, route.cluster))
      return defect("sidecar.json", "requests to " + route.cluster + ", which is no destination, would get headers");
  return Unit{};
}

Result<Unit> Check::istio(const Rendering& rendering) {
  cluster_name = istio_cluster_name;
  Diagnostics diagnostics;
  std::vector<std::pair<const File*, std::shared_ptr<const Source>>> resources;
  std::shared_ptr<const Source> sidecar;
  for (const File& file : rendering.files) {
    if (file.name == "kustomization.yaml") continue;
    auto source = parse(file, diagnostics);
    if (source == nullptr) return defect(file.name, diagnostics.to_string());
    INLAY_RETURN_IF_ERROR(custom_resource(file, *source));
    if (file.name == "sidecar.yaml") {
      sidecar = source;
    } else if (file.name != "service-entry.yaml") {
      resources.emplace_back(&file, source);
    }
  }
  INLAY_TRY(const std::string sample, sample_sidecar(sidecar.get()));
  const auto parsed = document::parse_source(sample, false, "sample_sidecar.yaml", diagnostics);
  if (parsed == nullptr) return defect("sample_sidecar.yaml", diagnostics.to_string());
  std::string merged = config::to_json(*parsed);
  const std::string code = values_.module.from == Module::From::kFile
                               ? R"({"filename":)" + document::json_string(mounted_module(values_)) + "}"
                               : R"({"inline_string":"pulled by the agent"})";
  for (const auto& [file, source] : resources) {
    const bool patches = source->find("kind")->text == "EnvoyFilter";
    auto applied = patches ? apply_envoy_filter(merged, *source) : apply_wasm_resource(merged, *source, code);
    if (!applied) return defect(file->name, applied.error().to_string());
    merged = *std::move(applied);
  }
  INLAY_RETURN_IF_ERROR(headers_go_to_destinations(merged));
  return bootstrap("sidecar.json", merged, mounted_module(values_));
}

const File* find_file(const Rendering& rendering, std::string_view name) {
  for (const File& file : rendering.files)
    if (file.name == name) return &file;
  return nullptr;
}

// Text files must at least be YAML; of several documents the first.
Result<Unit> check_yaml(const Rendering& rendering) {
  for (const File& file : rendering.files) {
    Diagnostics diagnostics;
    if (!file.binary && (parse(file, diagnostics) == nullptr || !diagnostics.list().empty()))
      return defect(file.name, diagnostics.to_string());
  }
  return Unit{};
}

}  // namespace

Result<Checked> check_rendering(std::string_view target, const Rendering& rendering, const Values& values) {
  INLAY_RETURN_IF_ERROR(check_yaml(rendering));
  Check check(values);
  if (target == "istio") {
    INLAY_RETURN_IF_ERROR(check.istio(rendering));
  } else if (target == "gateway") {
    INLAY_RETURN_IF_ERROR(check.gateway(rendering));
  } else if (const File* bootstrap = find_file(rendering, "envoy.yaml")) {
    const std::string path = (target == "compose" ? "/etc/envoy/" : "") + values.module.name;
    INLAY_RETURN_IF_ERROR(check.bootstrap(bootstrap->name, bootstrap->content, path));
  }
  return check.take();
}

}  // namespace inlay::deploy
