// SPDX-License-Identifier: Apache-2.0
#include "tester/bootstrap.h"

#include <algorithm>
#include <fstream>

#include "compiler/wat.h"
#include "config/load.h"
#include "tester/dynamic_module.h"
#include "tester/modules.h"
#include "tester/yaml_text.h"

namespace inlay::tester {
namespace {

constexpr std::string_view kType = "type.googleapis.com/";

std::string string_value(std::string_view text) {
  return "{\"@type\": " + std::string(kType) + "google.protobuf.StringValue, value: " + quoted_yaml(text) + "}";
}

// A whole module, or what goes into one with an ABI marker, a memory of two pages, an allocator that hands out the
// second page again and again, and the imports that the case names.
std::string module_text(const PluginCase& plugin) {
  if (plugin.text.starts_with("(module")) return plugin.text;
  std::string version = "0_2_1";
  std::string text = "(module\n";
  for (const Word& word : plugin.imports) {
    const size_t colon = word.text.find(':');
    const std::string name = word.text.substr(0, colon);
    text += "(import \"env\" \"proxy_" + name + "\" (func $" + name + " (param";
    for (int i = std::atoi(word.text.c_str() + colon + 1); i > 0; --i) text += " i32";
    text += ") (result i32)))\n";
  }
  for (const auto& [name, value] : plugin.options) {
    if (name == "abi") version = value;
  }
  return text + "(memory (export \"memory\") 2)\n" +
         "(func (export \"proxy_on_memory_allocate\") (param i32) (result i32) (i32.const 65536))\n" +
         "(func (export \"proxy_abi_version_" + version + "\"))\n" + plugin.text + ")";
}

std::string plugin_yaml(const PluginCase& plugin, const std::string& file) {
  std::string vm_id = "vm_" + plugin.name;
  std::string fields;
  std::string vm_fields;
  for (const auto& [name, value] : plugin.options) {
    if (name == "vm_id") {
      vm_id = value;
    } else if (name == "name") {
      fields += "name: " + quoted_yaml(value) + "\n";
    } else if (name.starts_with("vm.")) {
      vm_fields += name.substr(3) + ": " + value + "\n";
    } else if (name != "abi") {
      fields += name + ": " + value + "\n";
    }
  }
  if (fields.find("name: ") != 0 && fields.find("\nname: ") == std::string::npos)
    fields += "name: " + plugin.name + "\n";
  const std::string configuration = plugin.guest == "wat" ? "" : plugin.text;
  std::string text = "- name: " + plugin.name + "\n";
  text += "  typed_config:\n";
  text += "    \"@type\": " + std::string(kType) + "envoy.extensions.filters." + (plugin.network ? "network" : "http") +
          ".wasm.v3.Wasm\n";
  text += "    config:\n";
  text += indent(fields, 6);
  text += "      configuration: " + string_value(configuration) + "\n";
  text += "      vm_config:\n";
  text += "        vm_id: " + quoted_yaml(vm_id) + "\n";
  if (!plugin.vm_configuration.empty()) {
    text += "        configuration: " + string_value(plugin.vm_configuration) + "\n";
  }
  text += indent(vm_fields, 8);
  text += "        runtime: envoy.wasm.runtime.v8\n";
  text += "        code: {local: {filename: " + quoted_yaml(file) + "}}\n";
  return text;
}

// `http`: the explicit_http_config, or empty.
std::string endpoint(const std::string& name, uint16_t port, const std::string& http) {
  const std::string options =
      "  typed_extension_protocol_options:\n    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n      "
      "\"@type\": " +
      std::string(kType) + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n" +
      "      explicit_http_config: " + http + "\n";
  return "- name: " + name + "\n  connect_timeout: 60s\n  type: STATIC\n  load_assignment:\n    cluster_name: " + name +
         "\n    endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: " +
         std::to_string(port) + "}}}}]}]\n" + (http.empty() ? "" : options);
}

// What a cluster says of its protocol. One that accepts is no HTTP at all.
std::string http_of(const Run& run, const std::string& upstream) {
  const bool raw = run.c.upstream(upstream)->behaviour == Upstream::Behaviour::kAccepts;
  if (run.protocol == Protocol::kHttp2 && !raw) return "{http2_protocol_options: {}}";
  return run.c.trailers ? "{http_protocol_options: {enable_trailers: true}}" : "";
}

std::string connection_manager_yaml(const Case& c, const std::string& filters) {
  std::string hcm = "\"@type\": " + std::string(kType) +
                    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n"
                    "stat_prefix: ingress\n";
  if (c.hcm.find("route_config") == std::string::npos) {
    const std::string routes = c.routes.empty() ? "- match: {prefix: /}\n  route: {cluster: origin}\n" : c.routes;
    hcm += "route_config:\n  name: local\n  virtual_hosts:\n  - name: all\n    domains: [\"*\"]\n    routes:\n" +
           indent(routes, 4);
  }
  if (c.trailers) hcm += "http_protocol_options: {enable_trailers: true}\n";
  // x-envoy-upstream-service-time has as many digits as the time that the upstream took.
  const std::string router = "- name: router\n  typed_config: {\"@type\": " + std::string(kType) +
                             "envoy.extensions.filters.http.router.v3.Router" +
                             (c.network_before_http() ? ", suppress_envoy_headers: true" : "") + "}\n";
  return hcm + "http_filters:\n" + filters + router + c.hcm;
}

std::string tcp_proxy_yaml(const Case& c) {
  std::string text =
      "\"@type\": " + std::string(kType) + "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy\nstat_prefix: tcp\n";
  if (c.tcp_proxy.find("cluster") == std::string::npos) text += "cluster: origin\n";
  return text + c.tcp_proxy;
}

std::string access_log_yaml(const Case& c, const std::string& file) {
  if (c.access_log.empty()) return {};
  return "access_log:\n- name: file\n  typed_config:\n    \"@type\": " + std::string(kType) +
         "envoy.extensions.access_loggers.file.v3.FileAccessLog\n    path: " + quoted_yaml(file) +
         "\n    log_format: {text_format_source: {inline_string: " + quoted_yaml(c.access_log + "\n") + "}}\n";
}

}  // namespace

std::string access_log_path(const std::string& directory) {
  return directory + "/access_log";
}

Result<std::string> assembled_module(const PluginCase& plugin, const std::string& directory) {
  INLAY_TRY(const auto bytes, compiler::wat_to_wasm(module_text(plugin)));
  std::string path = directory + "/" + plugin.name + ".wasm";
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) return Error{ErrorCode::kIo, "cannot be written", path};
  return path;
}

Result<std::string> bootstrap_text(const Run& run, const std::map<std::string, uint16_t>& ports) {
  const Case& c = run.c;
  const std::string any = "{socket_address: {address: 127.0.0.1, port_value: 0}}";
  std::string network_filters;
  std::string http_filters;
  for (const PluginCase& plugin : c.plugins) {
    INLAY_TRY(const std::string file, run.find_module(plugin, run.directory));
    if (!run.dynamic_module.empty()) {
      INLAY_TRY(const std::string filter, dynamic_module_yaml(run, plugin, file));
      http_filters += filter;
      continue;
    }
    (plugin.network ? network_filters : http_filters) += plugin_yaml(plugin, file);
  }
  const std::string last = access_log_yaml(c, access_log_path(run.directory)) +
                           (c.tcp ? tcp_proxy_yaml(c) : connection_manager_yaml(c, http_filters));
  std::string text =
      "admin: {address: " + any + "}\nnode: {id: node, cluster: nodes}\nstatic_resources:\n  listeners:\n";
  text += "  - name: ingress\n    address: " + any + "\n" + indent(c.listener, 4);
  text += "    filter_chains:\n    - filters:\n" + indent(network_filters, 6);
  text += "      - name: last\n        typed_config:\n" + indent(last, 10);
  text += "  clusters:\n";
  for (const auto& [name, port] : ports) text += indent(endpoint(name, port, http_of(run, name)), 2);
  return text;
}

namespace {

// The file that a case names, with the listener that it means in front.
Result<config::Bootstrap> load_file(const Case& c) {
  const auto wrong = [&c](std::string message) {
    return Error{ErrorCode::kInvalidArgument, std::move(message), c.bootstrap_place};
  };
  const auto path = find_file(c, c.bootstrap, "file");
  if (!path) return wrong(path.error().message);
  document::Diagnostics diagnostics;
  auto bootstrap = config::load_file(*path, {}, diagnostics);
  if (!bootstrap) return wrong("the configuration is wrong:\n" + diagnostics.to_string());
  auto& listeners = bootstrap->listeners;
  const auto found = std::find_if(listeners.begin(), listeners.end(), [&c](const config::Listener& listener) {
    return c.bootstrap_listener.empty() || listener.name == c.bootstrap_listener;
  });
  if (found == listeners.end()) return wrong(*path + " has no listener `" + c.bootstrap_listener + "`");
  std::rotate(listeners.begin(), found, found + 1);
  if (listeners[0].tcp_proxy.has_value() != c.tcp) {
    return wrong(c.tcp ? "the listener is none of TCP: take the line `tcp` away"
                       : "the listener relays TCP: a line `tcp` says so");
  }
  for (const Upstream& upstream : c.upstreams) {
    const auto is_it = [&](const config::Cluster& cluster) { return cluster.name == upstream.name; };
    if (upstream.name == "origin" || std::any_of(bootstrap->clusters.begin(), bootstrap->clusters.end(), is_it))
      continue;
    return wrong(*path + " has no cluster `" + upstream.name + "`, of which the case speaks");
  }
  return bootstrap;
}

}  // namespace

Result<config::Bootstrap> load_bootstrap(const Run& run, const std::map<std::string, uint16_t>& ports) {
  if (!run.c.bootstrap.empty()) return load_file(run.c);
  INLAY_TRY(const std::string text, bootstrap_text(run, ports));
  document::Diagnostics diagnostics;
  auto bootstrap = config::load_text(text, "case.yaml", {}, diagnostics);
  if (!bootstrap) return Error{ErrorCode::kInvalidArgument, diagnostics.to_string(), run.c.path};
  return bootstrap;
}

}  // namespace inlay::tester
