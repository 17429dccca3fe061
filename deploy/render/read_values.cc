// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include "base/read_file.h"
#include "config/view.h"
#include "deploy/render/check_forms.h"
#include "deploy/render/configuration.h"
#include "deploy/render/read_module.h"
#include "deploy/render/read_mounted_files.h"
#include "deploy/render/rules.h"
#include "deploy/render/secrets.h"
#include "deploy/render/values.h"
#include "deploy/render/values_schema.h"
#include "document/scalars.h"
#include "engine/sha256.h"

namespace inlay::deploy {

using config::Reporter;
using config::Tree;
using config::View;
using document::quote;

namespace {

constexpr std::string_view kDigestMark = "@sha256:";

std::string text_or(View view, std::string_view field, std::string otherwise) {
  std::string text = view.text(field);
  return text.empty() ? std::move(otherwise) : text;
}

std::vector<std::pair<std::string, std::string>> text_map(View view, std::string_view field) {
  std::vector<std::pair<std::string, std::string>> out;
  for (View entry : view.list(field)) out.emplace_back(entry.node().key, entry.node().text);
  return out;
}

class Builder {
 public:
  Builder(Values& values, const std::string& folder, Reporter& report)
      : values_(values), folder_(folder), report_(report) {}

  void build(View root) {
    values_.name = root.text("name");
    values_.name_space = root.text("namespace");
    if (root.has("module")) module(root["module"]);
    plugin(root["plugin"]);
    for (View service : root.list("services")) add_service(service);
    workload(root["workload"]);
    check_names(root);
    traffic(root["traffic"], root["workload"]);
    envoy(root["envoy"]);
    istio(root["istio"]);
    values_.gateway = root["gateway"].text("name");
    values_.routes = root["gateway"].texts("routes");
    values_.component = root.boolean("component", false);
    if (values_.plugin.configuration != nullptr)
      check_configuration(*values_.plugin.configuration, "plugin.configuration", values_, report_);
    if (values_.outbound && takes_rules(values_)) check_rules(values_, report_);
  }

 private:
  void module(View view) {
    Module& module = values_.module;
    module.place = view.node().place;
    module.sha256 = view.text("sha256");
    module.pull_secret = view.text("pull_secret");
    if (view.has("file")) {
      module_file(view);
    } else if (view.has("oci")) {
      module.from = Module::From::kOci;
      module.location = view.text("oci");
      const size_t at = module.location.find(kDigestMark);
      if (at != std::string::npos) module.sha256 = module.location.substr(at + kDigestMark.size());
      if (view.has("sha256")) report_.error(view["sha256"].node(), "the digest stands in `oci` already; leave it out");
    } else if (view.has("http")) {
      module.from = Module::From::kHttp;
      module.location = view.text("http");
      if (!view.has("sha256") && view.node().source->find("sha256") == nullptr)
        report_.error(view["http"].node(), "needs `sha256`, without which a proxy would run whatever it is given");
    } else if (view.node().source->find("file") == nullptr && view.node().source->find("oci") == nullptr &&
               view.node().source->find("http") == nullptr) {
      report_.error(view.node(), "one of `file`, `oci` and `http` is missing");
    }
    if (view.has("pull_secret") && module.from != Module::From::kOci)
      report_.error(view["pull_secret"].node(), "goes with `oci` only");
  }

  void module_file(View view) {
    Module& module = values_.module;
    const std::filesystem::path path(view.text("file"));
    module.name = path.filename();
    module.location = path.is_absolute() || folder_.empty() ? path : std::filesystem::path(folder_) / path;
    if (!check_form(Form::kSecretKey, module.name).empty() || module.name.ends_with(".yaml")) {
      report_.error(
          view["file"].node(),
          "the file's name becomes a key of a ConfigMap and a part of paths: letters, digits, `-`, `_` and `.` only, "
          "as in `filter.wasm`, found " +
              quote(module.name));
      return;
    }
    auto bytes = read_module(module.location);
    if (!bytes) {
      report_.error(view["file"].node(), bytes.error().message);
      return;
    }
    module.bytes = *std::move(bytes);
    const std::string actual = engine::sha256(module.bytes);
    if (!module.sha256.empty() && module.sha256 != actual)
      report_.error(view["sha256"].node(), "the file's is " + actual);
    module.sha256 = actual;
  }

  void plugin(View view) {
    Plugin& plugin = values_.plugin;
    plugin.name = view.text("name");
    plugin.root_id = text_or(view, "root_id", plugin.name);
    plugin.vm_id = text_or(view, "vm_id", plugin.name);
    plugin.failure_policy = static_cast<FailurePolicy>(view["failure_policy"].node().integer);
    plugin.environment = variables(view, true);
    if (!view.has("configuration")) return;
    const config::TreeNode& node = view["configuration"].node();
    if (node.source->kind == document::Source::Kind::kNull) return;
    if (node.source->kind == document::Source::Kind::kList)
      report_.error(node, "expected a map or a text, found a list");
    // The tree's sources live as long as the values: they share the root's ownership.
    plugin.configuration = std::shared_ptr<const document::Source>(root_source, node.source);
  }

  // The variables of the plugin, or of a container, which knows no proxy to take them from.
  std::vector<Variable> variables(View owner, bool of_plugin) {
    std::vector<Variable> out;
    for (View view : owner.list("environment")) {
      Variable variable = build_variable(view);
      if (!of_plugin && variable.from == Variable::From::kProxy && !stands(view, "value") && !stands(view, "secret"))
        report_.error(view.node(), "one of `value` and `secret` is missing");
      for (const Variable& other : out)
        if (other.name == variable.name) report_.error(view.node(), quote(variable.name) + " stands twice");
      out.push_back(std::move(variable));
    }
    return out;
  }

  Variable build_variable(View view) {
    Variable variable;
    variable.name = view.text("name");
    variable.value = view.text("value");
    if (view.has("secret")) {
      variable.from = Variable::From::kSecret;
      variable.secret_name = view["secret"].text("name");
      variable.secret_key = view["secret"].text("key");
    } else if (!view.has("value")) {
      variable.from = Variable::From::kProxy;
    } else if (is_literal_secret("", variable.name, variable.value)) {
      report_.error(view["value"].node(),
                    "looks like a secret, and what is rendered is read by many; name the Secret that holds it: "
                    "`secret: {name: NAME, key: KEY}`");
    }
    return variable;
  }

  Container container(View view) {
    for (View word : view.list("args")) check_argument(word);
    return {view.text("image"), variables(view, false), view.texts("command"), view.texts("args"), view.text("ready")};
  }

  // --client-secret=...
  void check_argument(View word) {
    const std::string& text = word.node().text;
    const size_t equals = text.find('=');
    if (!text.starts_with('-') || equals == std::string::npos) return;
    if (is_literal_secret("", text.substr(0, equals), text.substr(equals + 1)))
      report_.error(word.node(),
                    "looks like a secret, and what is rendered is read by many; hand it over in `environment` with "
                    "`secret: {name: NAME, key: KEY}`");
  }

  void add_service(View view) {
    Service service;
    service.name = view.text("name");
    if (View sidecar = view["sidecar"]) {
      service.host = "127.0.0.1";
      service.port = sidecar.uint32("port");
      service.place = sidecar["port"].node().place;
      service.container = container(sidecar);
    } else if (View mesh = view["mesh"]) {
      service.where = Service::Where::kMesh;
      service.host = mesh.text("host");
      service.mesh_host = mesh_host(service.host);
      service.port = mesh.uint32("port");
      service.container = container(mesh);
      check_mesh_image(mesh, service);
    } else if (View outside = view["outside"]) {
      constexpr uint32_t kHttps = 443;
      constexpr uint32_t kHttp = 80;
      service.where = Service::Where::kOutside;
      service.host = outside.text("host");
      service.tls = outside.boolean("tls", true);
      service.port = outside.uint32("port", service.tls ? kHttps : kHttp);
      if (outside.has("ca")) service.ca = outside.text("ca");
      if (!service.tls && outside.has("ca")) report_.error(outside["ca"].node(), "is for a host with `tls`");
    } else if (view.has("files")) {
      add_files(view, service);
    } else if (View socket = view["workload_api"]) {
      service.where = Service::Where::kWorkloadApi;
      service.place = socket.node().place;
      service.injection = text_or(socket, "template", "spire");
    } else if (!stands(view, "sidecar") && !stands(view, "mesh") && !stands(view, "outside") &&
               !stands(view, "files") && !stands(view, "workload_api")) {
      report_.error(view.node(), "one of `sidecar`, `mesh`, `outside`, `files` and `workload_api` is missing");
    }
    for (const Service& other : values_.services) {
      if (other.name == service.name) report_.error(view.node(), "two services are called " + quote(service.name));
    }
    values_.services.push_back(std::move(service));
  }

  void add_files(View view, Service& service) {
    service.where = Service::Where::kFiles;
    service.place = view["files"].node().place;
    service.files = read_mounted_files(view, report_);
    for (const Service& other : values_.services)
      if (other.where == Service::Where::kFiles)
        report_.error(view["files"].node(),
                      "the service " + quote(other.name) + " has `files` already; put them all there");
  }

  // What is rendered for it is a Deployment and a Service in the namespace of all else.
  void check_mesh_image(View mesh, const Service& service) {
    if (service.container.image.empty() || service.host.empty() || values_.name_space.empty()) return;
    const std::string suffix = "." + values_.name_space + ".svc.cluster.local";
    const bool own = service.host.ends_with(suffix) &&
                     check_form(Form::kLabel, service.host.substr(0, service.host.size() - suffix.size())).empty();
    if (!own)
      report_.error(mesh["image"].node(), "with `image`, `host` must be `NAME" + suffix + "`, found " +
                                              quote(service.host) + "; leave `image` out for a service that exists");
  }

  static bool stands(View view, std::string_view key) { return view.node().source->find(key) != nullptr; }

  void workload(View view) {
    constexpr uint32_t kNobody = 65532;
    Workload& workload = values_.workload;
    workload.name = view.text("name");
    workload.labels = text_map(view, "labels");
    if (workload.labels.empty()) workload.labels.emplace_back("app", workload.name);
    workload.container = container(view);
    workload.port = view.uint32("port");
    workload.port_place = view["port"].node().place;
    workload.user = view.uint32("user", kNobody);
    workload.cpu = text_or(view, "cpu", "50m");
    workload.memory = text_or(view, "memory", "64Mi");
    if (view.has("ready") && workload.port == 0)
      report_.error(view["ready"].node(), "needs `port`, on which the workload is asked");
  }

  // The names of containers in the pod, and of Deployments.
  void check_names(View root) {
    std::vector<std::string> deployments = {values_.workload.name};
    for (View view : root.list("services")) {
      const std::string name = view.text("name");
      if (view.has("sidecar") && (name == values_.workload.name || name == "istio-proxy"))
        report_.error(view["name"].node(),
                      quote(name) + " is the name of another container in the pod; choose another");
      if (!view["mesh"].has("image")) continue;
      const std::string host = view["mesh"].text("host");
      const std::string deployment = host.substr(0, host.find('.'));
      if (std::find(deployments.begin(), deployments.end(), deployment) != deployments.end())
        report_.error(view["mesh"]["host"].node(),
                      "a Deployment " + quote(deployment) + " is rendered already; leave `image` out here");
      deployments.push_back(deployment);
    }
  }

  // `payments` and `payments.shop.svc` in full; any other name is taken for one.
  std::string mesh_host(const std::string& host) const {
    if (host.find('.') == std::string::npos) return host + "." + values_.name_space + ".svc.cluster.local";
    return host.ends_with(".svc") ? host + ".cluster.local" : host;
  }

  void traffic(View view, View workload) {
    values_.outbound = view["direction"].node().integer == 0;
    for (View destination : view.list("destinations")) {
      values_.destinations.push_back({destination.text("host"), mesh_host(destination.text("host")),
                                      destination.uint32("port"), destination.texts("subsets"),
                                      container(destination)});
      const Destination& added = values_.destinations.back();
      for (size_t i = 0; i + 1 < values_.destinations.size(); ++i)
        if (values_.destinations[i].mesh_host == added.mesh_host && values_.destinations[i].port == added.port)
          report_.error(destination.node(), "this destination stands twice");
      for (View subset : destination.list("subsets"))
        if (std::count(added.subsets.begin(), added.subsets.end(), subset.node().text) != 1)
          report_.error(subset.node(), "this subset stands twice");
    }
    if (!view.has("direction")) return;
    if (values_.outbound && values_.destinations.empty() && !stands(view, "destinations"))
      report_.error(view.node(), "outbound traffic needs `destinations`: whose requests pass the plugin");
    if (!values_.outbound && view.has("destinations"))
      report_.error(view["destinations"].node(), "inbound traffic goes to the workload; leave `destinations` out");
    if (!values_.outbound && workload && values_.workload.port == 0 && !stands(workload, "port"))
      report_.error(workload.node(), "inbound traffic needs `workload.port`");
    values_.workload.service =
        workload.boolean("service", !values_.outbound && !values_.workload.container.image.empty());
    if (workload.has("service") && values_.workload.service && values_.workload.port == 0)
      report_.error(workload["service"].node(), "needs `port`, to which the Service leads");
  }

  void envoy(View view) {
    constexpr uint32_t kPort = 8080;
    constexpr uint32_t kAdminPort = 9901;
    values_.envoy_image = text_or(view, "image", "docker.io/envoyproxy/envoy:v1.36.2");
    values_.envoy_port = view.uint32("port", kPort);
    values_.admin_port = view.uint32("admin_port", kAdminPort);
    values_.resolve = text_map(view, "resolve");
    if (values_.envoy_port == values_.admin_port)
      report_.error(view[view.has("admin_port") ? "admin_port" : "port"].node(),
                    "`port` and `admin_port` are both " + std::to_string(values_.envoy_port));
    for (View entry : view.list("resolve")) check_resolve(entry);
  }

  void check_resolve(View entry) {
    std::vector<std::string_view> hosts;
    for (const Service& service : values_.services) hosts.emplace_back(service.host);
    for (const Destination& destination : values_.destinations) hosts.emplace_back(destination.host);
    const std::string& host = entry.node().key;
    if (std::find(hosts.begin(), hosts.end(), host) != hosts.end()) return;
    const std::string near = config::nearest(host, hosts);
    report_.error(entry.node(), "no service and no destination has this host" +
                                    (near.empty() ? "" : "; did you mean `" + near + "`?"));
  }

  void istio(View view) {
    const bool oci = values_.module.from == Module::From::kOci;
    if (view.has("version")) values_.istio_minor = minor_version(view.text("version"));
    values_.attach =
        view.has("attach") ? static_cast<Attachment>(view["attach"].node().integer) : default_attachment(oci);
    values_.attach_place = view["attach"].node().place;
    values_.proxy = static_cast<ProxyKind>(view["proxy"].node().integer);
    check_proxy(view);
    values_.sidecar = view.boolean("sidecar", values_.outbound && values_.proxy == ProxyKind::kSidecar);
    values_.service_entry = view.boolean("service_entry", true);
    values_.egress = view.texts("egress");
    if (!view.has("egress")) values_.egress = {"istio-system/*"};
    for (View host : view.list("egress"))
      if (host.node().text.find('/') == std::string::npos)
        report_.error(host.node(), "expected `NAMESPACE/HOST`, `./*` or `*/HOST`, found " + quote(host.node().text));
    if (values_.attach == Attachment::kEnvoyFilter && oci)
      report_.error(
          view["attach"].node(),
          "an EnvoyFilter cannot pull from an OCI registry; use WasmPlugin or TrafficExtension, or `module.file`");
    if (values_.attach == Attachment::kTrafficExtension && values_.istio_minor < kTrafficExtensionMinor)
      report_.error(view["attach"].node(), "Istio 1." + std::to_string(values_.istio_minor) +
                                               " has no TrafficExtension; use WasmPlugin or EnvoyFilter");
  }

  // What a proxy that is no sidecar cannot have.
  void check_proxy(View view) {
    if (values_.proxy == ProxyKind::kSidecar) return;
    const std::string what = values_.proxy == ProxyKind::kGateway ? "a gateway" : "a waypoint";
    if (!values_.outbound)
      report_.error(view["proxy"].node(), what + " has no inbound traffic; set `traffic.direction: outbound`");
    if (view.has("sidecar") && view.boolean("sidecar", false))
      report_.error(view["sidecar"].node(), "a Sidecar is not for " + what);
    for (const Service& service : values_.services)
      if (service.where == Service::Where::kSidecar)
        report_.error(view["proxy"].node(), what + " has no container of yours beside it, which " +
                                                quote(service.name) + " is to be; use `mesh` or `outside`");
    for (const Service& service : values_.services)
      if (service.where == Service::Where::kFiles)
        report_.error(view["proxy"].node(), "the pods of " + what + " are not yours, and nothing mounts the files of " +
                                                quote(service.name) + " into them");
    for (const Service& service : values_.services)
      if (service.where == Service::Where::kMesh && values_.proxy == ProxyKind::kWaypoint)
        report_.error(view["proxy"].node(), "istiod gives a waypoint no cluster for a service of the mesh, which " +
                                                quote(service.name) + " is; use `outside`");
    if (values_.proxy == ProxyKind::kWaypoint && values_.attach == Attachment::kEnvoyFilter)
      report_.error(view[view.has("attach") ? "attach" : "proxy"].node(),
                    "for a waypoint use TrafficExtension or WasmPlugin, which can name it");
  }

  // The 30 of 1.30; 30 for what check_forms() has refused.
  static uint32_t minor_version(const std::string& text) {
    const auto minor = check_form(Form::kIstio, text).empty() ? document::parse_uint(text.substr(2)) : std::nullopt;
    return minor ? static_cast<uint32_t>(*minor) : kTrafficExtensionMinor;
  }

  Attachment default_attachment(bool oci) const {
    const auto& configuration = values_.plugin.configuration;
    const bool text = configuration != nullptr && configuration->kind == document::Source::Kind::kScalar;
    if (text && !oci) return Attachment::kEnvoyFilter;
    if (values_.istio_minor >= kTrafficExtensionMinor) return Attachment::kTrafficExtension;
    return oci ? Attachment::kWasmPlugin : Attachment::kEnvoyFilter;
  }

 public:
  std::shared_ptr<const document::Source> root_source;

 private:
  Values& values_;
  const std::string& folder_;
  Reporter& report_;
};

Error failure(const Diagnostics& diagnostics, const std::string& name, ErrorCode code) {
  const size_t errors = diagnostics.errors();
  return {code, std::to_string(errors) + (errors == 1 ? " error" : " errors") + " in the values", name};
}

}  // namespace

Result<Values> read_values_text(std::string_view text, const std::string& name, const std::string& folder,
                                Diagnostics& diagnostics) {
  auto source = document::parse_source(text, name.ends_with(".json"), name, diagnostics, "a values file");
  if (source == nullptr) return failure(diagnostics, name, ErrorCode::kInvalidArgument);
  Reporter report(name, diagnostics);
  const Tree tree = config::check_tree(source, values_type(), false, report);
  check_forms(*tree.root, report);
  Values values;
  values.file = std::filesystem::path(name).filename();
  Builder builder(values, folder, report);
  builder.root_source = source;
  builder.build(View(tree.root));
  diagnostics.sort();
  if (diagnostics.errors() != 0) return failure(diagnostics, name, ErrorCode::kInvalidArgument);
  return values;
}

Result<Values> read_values(const std::string& path, Diagnostics& diagnostics) {
  auto text = read_file(path, document::kMaxSourceBytes);
  if (!text) {
    diagnostics.add({document::Diagnostic::Severity::kError, path, {}, "", text.error().message});
    return failure(diagnostics, path, ErrorCode::kIo);
  }
  return read_values_text(*text, path, std::filesystem::path(path).parent_path(), diagnostics);
}

}  // namespace inlay::deploy
