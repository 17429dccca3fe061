// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/kubernetes.h"
#include "deploy/render/pieces.h"
#include "deploy/render/yaml_text.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::json_string;

namespace {

constexpr std::string_view kSocketFolder = "/var/run/inlay";

}  // namespace

std::string mounted_module(const Values& values) {
  return "/var/local/wasm/" + values.module.name;
}

std::string files_folder(const Service& service) {
  return "/var/run/secrets/inlay/" + service.name;
}

std::string files_socket(const Service& service) {
  return std::string(kSocketFolder) + "/" + service.name + ".sock";
}

namespace {

constexpr size_t kConfigMapLimit = size_t{1} << 20;
constexpr std::string_view kVolume = "wasm-module";

Result<Unit> check_module(const Values& values, config::Reporter& report) {
  const Module& module = values.module;
  if (module.from != Module::From::kFile) return Unit{};
  if (module.bytes.size() > kConfigMapLimit) {
    report.error(module.place, "module.file",
                 "the module has " + std::to_string(module.bytes.size()) + " bytes, and a ConfigMap holds at most " +
                     std::to_string(kConfigMapLimit) +
                     ": strip it (`wasm-strip`, `wasm-opt -Oz`), or put it into a registry and use `module.oci`");
    return refused();
  }
  return Unit{};
}

struct ContainerSpec {
  std::string name;
  const Container& container;
  uint32_t port;
  uint32_t user;
  std::string cpu;
  std::string memory;
};

Result<std::string> container_yaml(const ContainerSpec& spec) {
  Context context;
  context.set("name", spec.name).set("image", spec.container.image).set("port", spec.port).set("user", spec.user);
  context.set("cpu", spec.cpu).set("memory", spec.memory);
  context.flag("command", !spec.container.command.empty()).set("command", yaml_list(spec.container.command));
  context.flag("args", !spec.container.args.empty()).set("args", yaml_list(spec.container.args));
  context.flag("environment", !spec.container.environment.empty());
  for (const Variable& variable : spec.container.environment)
    context.add("variables")
        .flag("from_secret", variable.from == Variable::From::kSecret)
        .set("variable", variable.name)
        .set("value", variable.value)
        .set("secret", variable.secret_name)
        .set("key", variable.secret_key);
  const std::string port = std::to_string(spec.port);
  context.flag("ports", spec.port != 0)
      .set("probe", spec.container.ready.empty()
                        ? "tcpSocket: {port: " + port + "}"
                        : "httpGet: {path: " + yaml_scalar(spec.container.ready) + ", port: " + port + "}");
  return fill_template("templates/kubernetes/container.yaml", context);
}

ContainerSpec service_container(const Service& service) {
  constexpr uint32_t kNobody = 65532;
  return {service.name, service.container, service.port, kNobody, "10m", "32Mi"};
}

class Kubernetes {
 public:
  explicit Kubernetes(const Values& values) : values_(values) {}

  Result<Rendering> render() {
    const bool creates = !values_.workload.container.image.empty();
    INLAY_RETURN_IF_ERROR(pod_pieces(creates));
    std::vector<std::string> resources;
    if (creates) {
      INLAY_RETURN_IF_ERROR(add("service-account.yaml", "service_account", resources));
      INLAY_RETURN_IF_ERROR(add("deployment.yaml", "deployment", resources));
    }
    if (values_.workload.service) {
      context_.set("port", values_.workload.port);
      INLAY_RETURN_IF_ERROR(add("service.yaml", "workload_service", resources));
    }
    for (const Service& service : values_.services) {
      if (service.where != Service::Where::kMesh || service.container.image.empty()) continue;
      INLAY_RETURN_IF_ERROR(add_service(service, resources));
    }
    if (!creates) {
      std::vector<std::string> not_applied;
      INLAY_RETURN_IF_ERROR(add("deployment-patch.yaml", "deployment_patch", not_applied));
      rendering_.notes.push_back(
          values_.component ? "the Deployment exists: the kustomization that includes this one must have it"
                            : "the Deployment exists: patch it with deployment-patch.yaml, whose head says how");
    }
    context_.set("resources", yaml_list(resources));
    INLAY_TRY(std::string text, fill_template("templates/kubernetes/kustomization.yaml", context_));
    rendering_.files.insert(rendering_.files.begin(), {"kustomization.yaml", std::move(text)});
    add_module(rendering_, values_);
    return std::move(rendering_);
  }

 private:
  // What the Deployment and the patch for one that exists have in common.
  Result<Unit> pod_pieces(bool creates) {
    const Workload& workload = values_.workload;
    context_.flag("component", values_.component).flag("patched", values_.component && !creates);
    context_.set("name", values_.name)
        .set("namespace", values_.name_space)
        .set("workload", workload.name)
        .set("labels", labels_yaml(values_));
    context_.flag("mounted", values_.module.from == Module::From::kFile).set("module", values_.module.name);
    INLAY_RETURN_IF_ERROR(pod_metadata());
    context_.flag("containers", false);
    if (creates) {
      INLAY_RETURN_IF_ERROR(add_container(
          {workload.name, workload.container, workload.port, workload.user, workload.cpu, workload.memory},
          "The workload, which knows nothing of the plugin."));
    }
    for (const Service& service : values_.services) {
      if (service.where != Service::Where::kSidecar || service.container.image.empty()) continue;
      INLAY_RETURN_IF_ERROR(add_container(service_container(service), "What the plugin calls."));
    }
    return proxy_container();
  }

  // Istio reads both annotations as maps from a volume's name to the rest of it.
  Result<Unit> pod_metadata() {
    context_.set("pod_metadata", "");
    const bool module = values_.module.from == Module::From::kFile;
    Volumes volumes;
    if (module)
      volumes.add(kVolume, R"("configMap": {"name": )" + json_string(values_.name) + "}", "/var/local/wasm", true);
    std::string injection;
    for (const Service& service : values_.services) {
      if (service.where == Service::Where::kFiles) add_files(service, volumes);
      if (service.where == Service::Where::kWorkloadApi) injection = service.injection;
    }
    if (volumes.sources.empty() && injection.empty()) return Unit{};
    context_.flag("volumes", !volumes.sources.empty());
    context_.set("volume", "{" + volumes.sources + "}").set("volume_mount", "{" + volumes.mounts + "}");
    context_.flag("module_mounted", module).set("sha256", values_.module.sha256);
    context_.flag("injected", !injection.empty()).set("templates", "sidecar," + injection);
    INLAY_TRY(std::string metadata, fill_template("templates/kubernetes/pod_metadata.yaml", context_));
    context_.set("pod_metadata", std::move(metadata));
    return Unit{};
  }

  // What the injector mounts into the proxy's container, as the insides of two JSON maps.
  struct Volumes {
    std::string sources;
    std::string mounts;
    void add(std::string_view name, const std::string& source, std::string_view path, bool read_only) {
      const std::string key = (sources.empty() ? "" : ", ") + json_string(name);
      sources += key + ": {" + source + "}";
      mounts += key + ": {\"mountPath\": " + json_string(path) + (read_only ? ", \"readOnly\": true}" : "}");
    }
  };

  // The files, and a folder for the socket that no other container has.
  static void add_files(const Service& service, Volumes& volumes) {
    std::string sources;
    for (const MountedFile& file : service.files) {
      sources += sources.empty() ? "" : ", ";
      sources += file.audience.empty()
                     ? R"({"secret": {"name": )" + json_string(file.secret_name) + R"(, "items": [{"key": )" +
                           json_string(file.secret_key) + R"(, "path": )" + json_string(file.name) + "}]}}"
                     : R"({"serviceAccountToken": {"audience": )" + json_string(file.audience) +
                           R"(, "expirationSeconds": )" + std::to_string(file.seconds) + R"(, "path": )" +
                           json_string(file.name) + "}}";
    }
    volumes.add("inlay-files", R"("projected": {"sources": [)" + sources + "]}", files_folder(service), true);
    volumes.add("inlay-socket", R"("emptyDir": {"medium": "Memory"})", kSocketFolder, false);
  }

  Result<Unit> add_container(const ContainerSpec& spec, std::string what) {
    INLAY_TRY(std::string container, container_yaml(spec));
    context_.add("containers").set("what", std::move(what)).set("container", std::move(container));
    ++containers_;
    return Unit{};
  }

  Result<Unit> proxy_container() {
    Context secrets;
    bool any = false;
    for (const Variable& variable : values_.plugin.environment) {
      if (variable.from != Variable::From::kSecret) continue;
      any = true;
      secrets.add("secrets")
          .set("variable", variable.name)
          .set("secret", variable.secret_name)
          .set("key", variable.secret_key);
    }
    context_.flag("proxy", any).flag("pod", any || containers_ != 0).set("proxy_container", "");
    if (!any) return Unit{};
    INLAY_TRY(std::string text, fill_template("templates/kubernetes/proxy_container.yaml", secrets));
    context_.set("proxy_container", std::move(text));
    return Unit{};
  }

  Result<Unit> add(const std::string& file, const std::string& name, std::vector<std::string>& resources) {
    INLAY_TRY(std::string text, fill_template("templates/kubernetes/" + name + ".yaml", context_));
    rendering_.files.push_back({file, std::move(text)});
    resources.push_back(file);
    return Unit{};
  }

  Result<Unit> add_service(const Service& service, std::vector<std::string>& resources) {
    const std::string label = service.host.substr(0, service.host.find('.'));
    Context context;
    context.set("what", "What the plugin calls.").set("service", label).set("namespace", values_.name_space);
    ContainerSpec spec = service_container(service);
    spec.name = label;
    INLAY_TRY(std::string container, container_yaml(spec));
    context.set("port", service.port).set("container", std::move(container));
    INLAY_TRY(std::string text, fill_template("templates/kubernetes/service.yaml", context));
    resources.push_back(label + "-service.yaml");
    rendering_.files.push_back({resources.back(), std::move(text)});
    return Unit{};
  }

  const Values& values_;
  Context context_;
  Rendering rendering_;
  size_t containers_ = 0;
};

}  // namespace

Result<Rendering> render_kubernetes(const Values& values, config::Reporter& report) {
  INLAY_RETURN_IF_ERROR(check_module(values, report));
  return Kubernetes(values).render();
}

}  // namespace inlay::deploy
