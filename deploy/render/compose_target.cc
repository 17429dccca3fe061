// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "deploy/render/pieces.h"
#include "deploy/render/yaml_text.h"

namespace inlay::deploy {

namespace {

constexpr std::string_view kFolder = "/etc/envoy/";

// Compose takes `$` for the start of a variable.
std::string without_variables(std::string word) {
  for (size_t at = word.find('$'); at != std::string::npos; at = word.find('$', at + 2)) word.insert(at, 1, '$');
  return word;
}
std::vector<std::string> without_variables(std::vector<std::string> words) {
  for (std::string& word : words) word = without_variables(std::move(word));
  return words;
}

// What a container's variable is set to: a literal, or what docker compose finds in its own environment.
std::string reference_to(const Variable& variable) {
  if (variable.from == Variable::From::kValue) return without_variables(variable.value);
  return "${" + variable.name + ":?set it where docker compose is started}";
}

class Compose {
 public:
  explicit Compose(const Values& values) : values_(values) {}

  Result<Rendering> render() {
    context_.set("name", values_.name)
        .set("envoy_image", values_.envoy_image)
        .set("port", values_.envoy_port)
        .set("admin_port", values_.admin_port);
    const bool file = values_.module.from == Module::From::kFile;
    const std::string path = std::string(kFolder) + values_.module.name;
    context_.flag("module", file).set("mount", "./" + values_.module.name + ":" + path + ":ro");
    environment();
    pod();
    others();
    context_.flag("depends", !others_.empty()).set("services", yaml_list(others_));
    INLAY_TRY(std::string compose, fill_template("templates/compose/compose.yaml", context_));
    // Published on 127.0.0.1 only; in the container all addresses, which is where published ports arrive.
    INLAY_TRY(std::string bootstrap, bootstrap_yaml(values_, {"0.0.0.0", path, false}));
    rendering_.files.push_back({"compose.yaml", std::move(compose)});
    rendering_.files.push_back({"envoy.yaml", std::move(bootstrap)});
    add_module(rendering_, values_);
    note_authorities(rendering_, values_);
    return std::move(rendering_);
  }

 private:
  // The proxy's own: what it hands on to the module. Values stand in the bootstrap.
  void environment() {
    std::vector<Variable> variables;
    for (const Variable& variable : values_.plugin.environment)
      if (variable.from != Variable::From::kValue) variables.push_back(variable);
    add_variables(context_, variables);
  }

  static void add_variables(Context& context, const std::vector<Variable>& variables) {
    context.flag("environment", !variables.empty()).flag("variables", false);
    for (const Variable& variable : variables)
      context.add("variables").set("variable", variable.name).set("reference", reference_to(variable));
  }

  // What shares the proxy's network.
  void pod() {
    context_.flag("pod", false);
    if (!values_.workload.container.image.empty()) {
      Context& workload = add("pod", values_.workload.name, values_.workload.container, "The workload.");
      workload.flag("proxied", values_.outbound);
      if (values_.outbound) workload.flag("environment", true);
    }
    for (const Service& service : values_.services)
      if (service.where == Service::Where::kSidecar && !service.container.image.empty())
        add("pod", service.name, service.container, "What the plugin calls, in the pod.").flag("proxied", false);
  }

  // What stands elsewhere in the mesh.
  void others() {
    context_.flag("others", false);
    for (const Destination& destination : values_.destinations)
      other(destination.host, destination.container, "Where the workload's requests go.");
    for (const Service& service : values_.services)
      if (service.where == Service::Where::kMesh) other(service.host, service.container, "What the plugin calls.");
  }

  void other(const std::string& host, const Container& container, const std::string& what) {
    if (!hosts_.insert(host).second) return;
    if (container.image.empty()) {
      rendering_.notes.push_back("no image stands in for " + host + ": it must be reachable from the containers");
    } else {
      Context& context = add("others", host.substr(0, host.find('.')), container, what);
      context.set("aliases", yaml_list({host}));
      others_.push_back(*context.text("service"));
    }
  }

  Context& add(const std::string& section, std::string name, const Container& container, std::string what) {
    while (!names_.insert(name).second) name += "-2";
    Context& context = context_.add(section);
    context.set("service", std::move(name)).set("what", std::move(what)).set("image", container.image);
    context.flag("command", !container.command.empty()).set("command", yaml_list(without_variables(container.command)));
    context.flag("args", !container.args.empty()).set("args", yaml_list(without_variables(container.args)));
    add_variables(context, container.environment);
    return context;
  }

  const Values& values_;
  Context context_;
  Rendering rendering_;
  std::set<std::string> names_ = {"envoy"};
  std::set<std::string> hosts_;
  std::vector<std::string> others_;
};

}  // namespace

Result<Rendering> render_compose(const Values& values, config::Reporter& report) {
  INLAY_RETURN_IF_ERROR(check_standalone(values, report));
  return Compose(values).render();
}

}  // namespace inlay::deploy
