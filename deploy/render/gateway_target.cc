// SPDX-License-Identifier: Apache-2.0
// The target gateway: Envoy Gateway's resources.
#include "deploy/render/pieces.h"
#include "deploy/render/yaml_text.h"
#include "document/scalars.h"

namespace inlay::deploy {

namespace {

using document::quote;

// What Envoy Gateway cannot do with the values. All of it is reported.
Result<Unit> check_gateway(const Values& values, config::Reporter& report) {
  bool good = true;
  const auto error = [&](document::Place place, const std::string& path, const std::string& message) {
    report.error(place, path, message);
    good = false;
  };
  if (values.gateway.empty())
    error({}, "gateway", "is missing: `{name: GATEWAY, routes: [HTTPROUTE]}`, whose requests pass the plugin");
  if (values.module.from == Module::From::kFile)
    error(values.module.place, "module.file",
          "Envoy Gateway takes a module from a registry or a web server; use `module.oci` or `module.http`");
  if (!values.outbound) error({}, "traffic.direction", "a gateway has no inbound traffic; set `outbound`");
  for (const Service& service : values.services) {
    if (service.where == Service::Where::kSidecar)
      error(service.place, "services",
            "a gateway has no container of yours beside it, which " + quote(service.name) +
                " is to be; use `mesh` or `outside`");
    if (service.where == Service::Where::kFiles || service.where == Service::Where::kWorkloadApi)
      error(
          service.place, "services",
          "nothing mounts what " + quote(service.name) + " needs into the pods of a gateway; use `mesh` or `outside`");
  }
  if (values.plugin.failure_policy == FailurePolicy::kFailReload)
    error({}, "plugin.failure_policy", "Envoy Gateway has no FAIL_RELOAD; use FAIL_CLOSED or FAIL_OPEN");
  for (const Variable& variable : values.plugin.environment)
    if (variable.from == Variable::From::kValue)
      error({}, "plugin.environment",
            "Envoy Gateway hands on variables of the proxy alone; leave out the `value` of " + quote(variable.name) +
                " and set it in the EnvoyProxy resource");
  const auto& configuration = values.plugin.configuration;
  if (configuration != nullptr && configuration->kind == document::Source::Kind::kScalar)
    error(configuration->place, "plugin.configuration", "an EnvoyExtensionPolicy takes a map only");
  return good ? Result<Unit>(Unit{}) : refused();
}

class Gateway {
 public:
  explicit Gateway(const Values& values) : values_(values) {
    context_.set("name", values.name).set("namespace", values.name_space).set("gateway", values.gateway);
    context_.flag("component", values.component);
  }

  Result<Rendering> render() {
    INLAY_RETURN_IF_ERROR(policy());
    if (!values_.services.empty()) {
      INLAY_RETURN_IF_ERROR(clusters());
    }
    std::vector<std::string> resources;
    for (const File& file : rendering_.files) resources.push_back(file.name);
    context_.set("resources", yaml_list(resources));
    INLAY_TRY(std::string text, fill_template("templates/gateway/kustomization.yaml", context_));
    rendering_.files.insert(rendering_.files.begin(), {"kustomization.yaml", std::move(text)});
    notes();
    return std::move(rendering_);
  }

 private:
  Result<Unit> add(const std::string& file, const std::string& name) {
    INLAY_TRY(std::string text, fill_template("templates/gateway/" + name + ".yaml", context_));
    rendering_.files.push_back({file, std::move(text)});
    return Unit{};
  }

  Result<Unit> policy() {
    const Module& module = values_.module;
    const bool http = module.from == Module::From::kHttp;
    for (const std::string& route : values_.routes) context_.add("routes").set("route", route);
    context_.set("plugin", values_.plugin.name).set("root_id", values_.plugin.root_id);
    context_.set("fail_open", values_.plugin.failure_policy == FailurePolicy::kFailOpen ? "true" : "false");
    context_.flag("http", http).set("url", module.location).set("sha256", module.sha256);
    context_.flag("pull_secret", !module.pull_secret.empty()).set("pull_secret", module.pull_secret);
    context_.flag("environment", !values_.plugin.environment.empty())
        .set("variables", yaml_list(host_variables(values_)));
    // A route's requests have the cluster of that route: rules by cluster would say the same again.
    const std::string yaml =
        configuration_yaml(values_, {[](const Service& service) { return service.name; }, nullptr});
    context_.flag("configuration", !yaml.empty()).set("yaml", yaml);
    return add("envoy-extension-policy.yaml", "extension_policy");
  }

  Result<Unit> clusters() {
    for (const Service& service : values_.services) {
      const bool mesh = service.where == Service::Where::kMesh;
      INLAY_TRY(std::string text, cluster_yaml({service.name, service.host, mesh ? service.mesh_host : service.host,
                                                service.port, service.tls, "", service.ca}));
      context_.add("clusters")
          .set("what", mesh ? "A service of the cluster." : "A host outside.")
          .set("cluster_name", service.name)
          .set("cluster", std::move(text));
    }
    return add("envoy-patch-policy.yaml", "patch_policy");
  }

  void notes() {
    if (!values_.services.empty())
      rendering_.notes.emplace_back(
          "Envoy Gateway heeds envoy-patch-policy.yaml where its own configuration has "
          "`extensionApis: {enableEnvoyPatchPolicy: true}`");
    rendering_.notes.emplace_back(
        "Envoy Gateway chooses the vm_id itself, one for each plugin: others do not share its data, whatever "
        "`plugin.vm_id` says");
    if (!values_.plugin.environment.empty())
      rendering_.notes.emplace_back(
          "the proxy must have the variables of `plugin.environment`: EnvoyProxy's "
          "`spec.provider.kubernetes.envoyDeployment.container.env`");
    note_authorities(rendering_, values_);
  }

  const Values& values_;
  Context context_;
  Rendering rendering_;
};

}  // namespace

Result<Rendering> render_gateway(const Values& values, config::Reporter& report) {
  INLAY_RETURN_IF_ERROR(check_gateway(values, report));
  return Gateway(values).render();
}

}  // namespace inlay::deploy
