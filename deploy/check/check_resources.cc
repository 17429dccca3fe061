// SPDX-License-Identifier: Apache-2.0
#include "deploy/check/check_resources.h"

namespace inlay::deploy {

namespace {

constexpr Rule kRules[] = {
    {"token-reach", "which hosts, on which ports, would get the headers", check_token_reach},
    {"other-host", "a rule that gives headers to a host that the values file does not name", check_other_hosts},
    {"missing-service", "inbound traffic without a Service before the pods", check_services},
    {"missing-service-entry", "a destination outside of the mesh without a ServiceEntry", check_service_entries},
    {"port-name", "a port that istiod does not take for HTTP", check_port_names},
    {"module-size", "a module that a ConfigMap, or kubectl, does not take", check_module_size},
    {"module-source", "a module that nothing mounts, or that can become another", check_module_source},
    {"failure-policy", "requests that pass without headers when the module fails or is missing", check_policies},
    {"old-field", "fields and kinds that have a successor, and the missing `priority`", check_old_fields},
    {"schema", "fields that the resource's schema does not have", check_schemas},
    {"one-assertion", "one assertion (RFC 7523) that is sent twice", check_assertions},
    {"shared-data", "another plugin that can read the tokens", check_shared_data},
    {"version", "with --from and --to: what Envoy does otherwise", check_versions},
};

}  // namespace

std::span<const Rule> check_rules_table() {
  return kRules;
}

Findings check_manifests(const Subject& subject) {
  const std::vector<PluginUse> plugins = find_plugins(subject.manifests);
  Findings findings;
  for (const Rule& rule : kRules) rule.run(subject, plugins, findings);
  findings.sort();
  return findings;
}

}  // namespace inlay::deploy
